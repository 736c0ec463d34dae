"""Other rules between two steps, and the guard that keeps a rule in shadow which concerns too many customers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from engine.guarding import EDITED, SUDDEN, Alarm, bits_set, check_reloadable, fresh, still_held, too_many
from engine.parts import DAY_US, Parts
from rules.load import Configuration
from rules.ruleset import Rule


class Reloading:
    """Replaces rules, holds rules, and afterwards ends the episodes whose rules are no more."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._alarms: list[Alarm] = []  # not told yet
        self._guarded_day = 0  # the local day whose firings are being counted
        self._replaced = False  # episodes may have lost their rules

    def reload(self, configuration: Configuration, released: Collection[str] = ()) -> list[Alarm]:
        """As `Engine.reload`."""
        parts = self._parts
        check_reloadable(parts.settings, configuration.settings)
        held = {
            name: alarm
            for name, alarm in still_held(parts.held, configuration.rules.rules).items()
            if name not in released
        }
        doubtful = [
            rule
            for rule in fresh(parts.configuration.rules.rules, configuration.rules.rules)
            if rule.id not in released and rule.id not in held
        ]
        alarms = self._examined(configuration, doubtful) if doubtful else []
        parts.install(configuration, held | {alarm.rule: alarm for alarm in alarms})
        self._replaced = True
        return alarms

    def _examined(self, configuration: Configuration, doubtful: Sequence[Rule]) -> list[Alarm]:
        """The alarms of the rules that are true of too many customers as of now."""
        parts, known = self._parts, self._parts.known()
        looking = parts.evaluation_of(configuration, doubtful)
        looking.show(parts.evaluation.attributes)
        counts = np.zeros(len(doubtful), np.int64)
        for rows, count in parts.partition.look(known, parts.partition.clock):
            counts += bits_set(looking.judge(rows, count, learn=False).fire[:count], len(doubtful))
        found = zip(doubtful, counts.tolist(), strict=True)
        return too_many(found, len(known), configuration.settings, EDITED, parts.partition.clock)

    def guard(self, at: int) -> None:
        """At local midnight: hold the rules that fired for too many customers since the one before."""
        parts = self._parts
        day = (at + int(parts.settings.utc_offset)) // DAY_US
        if day == self._guarded_day:
            return
        self._guarded_day = day
        fired, parts.decider.fired_today = parts.decider.fired_today, {}
        counted = [(parts.decider.rules[k], len(customers)) for k, customers in sorted(fired.items())]
        alarms = too_many(counted, len(parts.known()), parts.settings, SUDDEN, at)
        if alarms:
            self._alarms += alarms
            parts.install(parts.configuration, parts.held | {alarm.rule: alarm for alarm in alarms})
            self._replaced = True
            self.close_removed(at)

    def take_alarms(self) -> list[Alarm]:
        """What the guard began to hold since the last call."""
        alarms, self._alarms = self._alarms, []
        return alarms

    def close_removed(self, at: int | None = None) -> None:
        """Right after a restore or a reload, at its clock: end the episodes whose rules are no more."""
        if self._replaced:
            parts = self._parts
            at = parts.partition.clock if at is None else at
            who = parts.evaluation.who(parts.names, rows=False)
            for customer in parts.decider.close_removed(at, who):
                parts.wake(customer)
            parts.shadow.close_removed(at, who)
            self._replaced = False

    def saved(self) -> dict[str, object]:
        """What the guard must not forget."""
        parts = self._parts
        fired = [[parts.decider.rules[k].id, sorted(who)] for k, who in sorted(parts.decider.fired_today.items())]
        return {"held": list(parts.held.values()), "fired_today": fired, "guarded_day": self._guarded_day}

    def hold_again(self, saved: Mapping[str, object]) -> None:
        """Before state is restored: hold what was held, where the rule is the same."""
        parts = self._parts
        alarms = msgspec.convert(saved.get("held", ()), list[Alarm])
        held = still_held({alarm.rule: alarm for alarm in alarms}, parts.configuration.rules.rules)
        if held:
            parts.install(parts.configuration, held)

    def restore(self, saved: Mapping[str, object]) -> None:
        """After state is restored: go on counting."""
        parts = self._parts
        places = {rule.id: k for k, rule in enumerate(parts.decider.rules)}
        fired = msgspec.convert(saved.get("fired_today", ()), list[tuple[str, list[int]]])
        parts.decider.fired_today = {places[name]: set(who) for name, who in fired if name in places}
        self._guarded_day = msgspec.convert(saved.get("guarded_day", 0), int)
        self._replaced = True
