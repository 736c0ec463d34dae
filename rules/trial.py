"""Shadow rules beside the live ones: what they would have warned of, and how good that would have been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rules.outcomes import EpisodeLine, EpisodeLog, figures

DAY_US: Final = 86_400_000_000


def beside(live: EpisodeLog, shadow: EpisodeLog, end: int, horizon: int) -> dict[str, Any]:
    """Counts of would-be warnings, and by shadow rule: episodes, customers, those whom live rules warned of too (a warning was
    open then, however old, or was raised within the horizon, µs, before or after), by which of them most, and precision and
    recall where outcomes are known. Of those that are `too_early` only the right ones matured.
    """
    warned: dict[int, list[EpisodeLine]] = {}
    for line in live.episodes:
        warned.setdefault(line.customer, []).append(line)
    rules = sorted({rule for line in shadow.episodes for rule in line.rules})
    return {
        "warnings": shadow.warnings(),
        "rules": {rule: _of_rule(rule, shadow, warned, end, horizon) for rule in rules},
    }


def _of_rule(
    rule: str, shadow: EpisodeLog, warned: dict[int, list[EpisodeLine]], end: int, horizon: int
) -> dict[str, Any]:
    fired = [(line.customer, line.rules[rule]) for line in shadow.episodes if rule in line.rules]
    by: dict[str, int] = {}
    also = earlier = 0
    for customer, at in fired:
        near = [line for line in warned.get(customer, ()) if abs(line.raised_at - at) <= horizon or line.open_at(at)]
        also += bool(near)
        earlier += any(line.raised_at <= at for line in near)
        for name in {name for line in near for name in line.rules}:
            by[name] = by.get(name, 0) + 1
    found = {
        "episodes": len(fired),
        "customers": len({customer for customer, _ in fired}),
        "also_live": also,
        "live_was_earlier": earlier,
        "live_rules": dict(sorted(by.items(), key=lambda item: (-item[1], item[0]))[:5]),
    }
    if shadow.any_leaver:
        counted: Iterable[Any] = [leaver for leaver in shadow.leavers if leaver.voluntary]
        found |= {
            name: value
            for name, value in figures(fired, shadow.leavers, counted, end, horizon).items()
            if name != "episodes"
        }
        over = sum(at + horizon <= end for _, at in fired)
        found |= {"horizons_over": over, "too_early": len(fired) - over}
    return found
