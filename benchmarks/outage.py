"""A cell fails for many: one incident, and how many warnings of single customers beside it.

`python -m benchmarks.outage [CUSTOMERS] [RESIDENTS] [DAYS] [SEED]` replays the same operator twice, with the outage and
without (the outage planned for after the end, so that everybody lives where they do), and compares. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import simulator
from events.decode import decode
from population.incident import Incident, IncidentKind
from streams import bootstrap
from streams.batches import pieces

DAYS_AFTER = 20
STEP_EVENTS = 65_536


@dataclass
class Run:
    """What an operator's days brought: incidents, and (customer, first rule) of the episodes raised from `since` on."""

    incidents: list[Incident] = field(default_factory=list)
    raised: list[tuple[str, str]] = field(default_factory=list)
    named: int = 0  # of those, with the incident among their reasons


def run(customers: int, days: int, seed: int, outage: simulator.Outage, since: int) -> Run:
    """Replay one operator; episodes of residents of the outage's cell count from day `since` on."""
    resident = f"c{outage.customers:07d}"
    engine = bootstrap.engine(bootstrap.configuration(bootstrap.config_folder(None)), None, None)
    found = Run()
    for day, raw in enumerate(simulator.days(customers, days, seed, simulator.Scenario(outage=outage))):
        for batch in pieces(decode(raw, f"day {day}", received_at=""), STEP_EVENTS):
            step = engine.step(batch, 0)
            found.incidents += step.incidents
            for decision in step.decisions:
                if decision.status == "raised" and day >= since and decision.customer_id < resident:
                    found.raised.append((decision.customer_id, decision.rules[0].id))
                    found.named += any(reason.code == "network_incident" for reason in decision.reasons)
    return found


def compare(customers: int, residents: int, days: int, seed: int) -> dict[str, Any]:
    """The figures of both runs. `warnings_because`: how many more episodes residents of the cell have with the outage.

    Beside what it does itself, the outage shifts the simulator's later chances, so that single customers cannot be compared.
    """
    when = days - DAYS_AFTER
    outage = simulator.Outage(day=when, customers=residents)
    rules = bootstrap.configuration(bootstrap.config_folder(None)).rules.rules
    held = {rule.id for rule in rules if rule.held}
    with_it = run(customers, days, seed, outage, when)
    without = run(customers, days, seed, simulator.Outage(day=days + 1, customers=residents), when)
    more, less = Counter(rule for _, rule in with_it.raised), Counter(rule for _, rule in without.raised)
    net = {rule: more[rule] - less[rule] for rule in sorted(more | less) if more[rule] != less[rule]}
    largest = max((one for one in with_it.incidents), key=lambda one: one.customers, default=None)
    same = [one for one in with_it.incidents if largest is not None and one.scope == largest.scope]
    return {
        "outage": asdict(outage),
        "incident": None
        if largest is None
        else [
            {"id": one.incident_id, "revision": one.revision, "status": one.status, "scope": one.scope,
             "started_at": one.started_at, "customers": one.customers, "high_value": one.high_value}
            for one in same
        ],
        "incidents_of_its_cell": len({one.incident_id for one in same}),
        "warnings_with": len(with_it.raised),
        "warnings_without": len(without.raised),
        "warnings_because": sum(net.values()),
        "warnings_because_held_rules": sum(count for rule, count in net.items() if rule in held),
        "warnings_because_by_rule": net,
        "warnings_that_name_it": with_it.named,
        "other_incidents": Counter(
            one.kind.value for one in without.incidents if one.status == "opened" and one.kind in IncidentKind
        ),
    }  # fmt: skip


def main() -> None:
    """Compare and print."""
    given = [int(text) for text in sys.argv[1:]]
    sizes = [*given, *(20_000, 5_000, 60, 7)[len(given) :]]
    print(json.dumps(compare(*sizes), indent=1))


if __name__ == "__main__":
    main()
