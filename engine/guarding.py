"""The guard over rules: one that fires for too many customers is held back as a shadow rule until somebody says yes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rules.load import Configuration
from rules.ruleset import Rule
from rules.settings import Settings

EDITED: Final = "edited"
SUDDEN: Final = "sudden"
_KEPT: Final = (
    "horizon_days",
    "lateness",
    "fact_lateness",
    "utc_offset",
    "currency",
    "tiers",
    "recheck",
    "tick",
    "signals",
)


class Alarm(Struct, frozen=True):
    """A rule that is held: it is true of (`edited`), or within a day fired for (`sudden`), so many of all customers.

    `at` in µs UTC; `version` is the rule's: another version is looked at anew.
    """

    rule: str
    version: str
    why: str
    customers: int
    share: float
    at: int

    def __str__(self) -> str:
        what = "would be true of" if self.why == EDITED else "fired within a day for"
        return (
            f"rule `{self.rule}` {what} {self.customers:,} customers ({self.share:.1%}): held in shadow until released"
        )


def check_reloadable(now: Settings, new: Settings) -> None:
    """Raises ValueError for a change of settings that state rests on: those need a restart."""
    for name in _KEPT:
        if getattr(now, name) != getattr(new, name):
            raise ValueError(f"`{name}` cannot be changed while the engine runs: restart it")


def with_held(configuration: Configuration, held: Collection[str]) -> Configuration:
    """The configuration with some live rules as shadow rules."""
    if not held:
        return configuration
    rules = configuration.rules
    changed = tuple(
        replace(rule, mode="shadow") if rule.id in held and rule.mode == "live" else rule for rule in rules.rules
    )
    return replace(configuration, rules=replace(rules, rules=changed))


def fresh(old: Iterable[Rule], new: Iterable[Rule]) -> list[Rule]:
    """Live rules that are new, or another than the live rule of their id."""
    known = {rule.id: rule.version for rule in old if rule.mode == "live"}
    return [rule for rule in new if rule.mode == "live" and known.get(rule.id) != rule.version]


def still_held(held: Mapping[str, Alarm], rules: Iterable[Rule]) -> dict[str, Alarm]:
    """Alarms of rules that are the same as when they were held."""
    versions = {rule.id: rule.version for rule in rules}
    return {name: alarm for name, alarm in held.items() if versions.get(name) == alarm.version}


def too_many(rules: Iterable[tuple[Rule, int]], customers: int, settings: Settings, why: str, at: int) -> list[Alarm]:
    """Those of (rule, customers concerned) that the guard holds."""
    guard, found = settings.guard, []
    for rule, count in rules:
        share = count / max(1, customers)
        if count >= guard.at_least and share > guard.share:
            found.append(Alarm(rule.id, rule.version, why, count, share, at))
    return found


def bits_set(words: npt.NDArray[np.uint64], rules: int) -> npt.NDArray[np.int64]:
    """In how many rows u8[row, words] each rule's bit is set."""
    flags = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")
    counts: npt.NDArray[np.int64] = flags[:, :rules].sum(axis=0, dtype=np.int64)
    return counts
