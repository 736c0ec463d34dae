"""What a partition says to the others fits into a record of Kafka, however much there is to say: else it would try for ever."""

from __future__ import annotations

import json
from types import SimpleNamespace

import msgspec

from customers.partition import Told
from events.contract import MarketNoted, NetworkIncident
from events.times import SLOT_US
from population.findings import Finding, Word
from population.incident import IncidentKind
from population.judge import Judge
from population.reports import facts_of, identity_of, in_turn, report_of
from streams.live.exchange import Exchange, Statement

MOST_BYTES = 1 << 20
"""A broker's own limit, and the client's."""


class Silent:
    """An engine that has counted nothing."""

    def told(self, _before: int) -> Told:
        return Told([], [])

    def hear(self, _told: Told) -> None: ...
    def said(self, _passed: int) -> None: ...
    def findings(self) -> list[Finding]:
        return []


def report(number: int) -> str:
    fact = NetworkIncident(
        event_id=f"n{number}", customer_id=f"cell:{number}", occurred_at="2026-01-01T00:00:00Z", cell_id=str(number),
        status="opened",
    )  # fmt: skip
    return report_of(fact)


def exchange(lane: int) -> Exchange:
    return Exchange(lane, 2, {}, 0, {}, 0)


def said_of(speaker: Exchange, clock: int) -> list[Statement]:
    found = []
    while (statement := speaker.say(Silent(), clock, 0, 0.0)) is not None:
        found.append(statement)
    return found


def test_reports_of_a_backlog_are_said_one_statement_after_another_and_no_slot_before_they_are() -> None:
    speaker, listener = exchange(0), exchange(1)
    reports = [report(number) for number in range(20_000)]
    speaker.reported = [*reports]
    found = said_of(speaker, 8 * SLOT_US)
    assert len(found) > 10
    assert all(len(msgspec.json.encode(one)) < MOST_BYTES / 2 for one in found)
    assert [one.before for one in found] == [0] * (len(found) - 1) + [8]
    for one in found[:2]:
        listener.hear(Silent(), one, 0.0)
    listener.hear(Silent(), found[1], 0.0)  # again, and of it nothing is new
    for one in found[2:]:
        listener.hear(Silent(), one, 0.0)
    assert listener.to_apply == in_turn(reports)
    assert listener.heard[0] == 8
    assert speaker.reports[0] == len(reports)


def test_a_report_with_absurd_fields_is_told_shortened_and_is_the_same_event() -> None:
    common = {"event_id": "n", "occurred_at": "2026-01-01T00:00:00Z"}
    long = "\x01" * 1_000 + "x" * 300_000
    facts = [
        NetworkIncident(customer_id="cell:A", cell_id="A", status="opened", kind=long, **common),
        MarketNoted(customer_id="market:all", kind="season", region=long, plan=long, **common),
    ]
    for fact in facts:
        told = report_of(fact)
        assert len(msgspec.json.encode(told)) < MOST_BYTES / 8
        [read] = facts_of(told)
        assert (read.customer_id, read.event_id) == (fact.customer_id, "n")
        assert identity_of(told) == identity_of(json.dumps(msgspec.to_builtins(fact)))
        speaker = exchange(0)
        speaker.reported = [told]
        assert len(said_of(speaker, 0)) == 1


def test_thousands_of_findings_at_once_are_said_one_statement_after_another() -> None:
    judge = Judge(0, {}, 2)
    findings = [
        Finding(number, SLOT_US, IncidentKind.NETWORK.value, "cell:" + f"{number}".rjust(128, "x"), 0, "opened", 1)
        for number in range(3_000)
    ]
    judge.findings = [*findings]
    restored = Judge(0, {}, 2)
    restored.restore(judge.snapshot())
    speaker = exchange(0)
    engine = SimpleNamespace(told=Silent().told, said=lambda _: None, findings=restored.take_findings)
    found = []
    while (statement := speaker.say(engine, 0, 0, 0.0)) is not None:  # type: ignore[arg-type]
        assert len(msgspec.json.encode(statement)) < MOST_BYTES / 4
        found += statement.findings
    assert found == findings
    assert Word(lane=0, findings=found).findings[-1].number == 2_999
