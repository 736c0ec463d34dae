"""From rows to decisions: rules' changes of state become episodes raised, elevated, cleared and closed.

One open episode per customer. Rows come in the order of each customer's events and timers; everything here is dated with
the row's time. `decided_at` is passed through and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from detectors.catalogue import Feature
from events.times import rfc3339
from rules import bits
from rules.columns import Columns, Sheet
from rules.early_warning import EarlyWarning, EpisodeStatus, ProposedAction, RuleHit, StatusReason
from rules.episodes import Episode, held_out, warning_id
from rules.formats import Style
from rules.load import Configuration
from rules.outcomes import EpisodeLog
from rules.reasons import LANGUAGES, View, cause_of, reasons, rounded
from rules.timers import EPISODE, LIFE, RuleTimers

DAY_US: Final = 86_400_000_000
EPISODE_LIFE_US: Final = 90 * DAY_US
LEAST_HOLD_US: Final = 21_600_000_000  # rows of one customer further apart than this never share a round


class Who(Protocol):
    """Names of customers, and a row's view."""

    def customer_id(self, customer: int) -> str: ...
    def account_id(self, customer: int) -> str | None: ...
    def view(self, row: int) -> View: ...


class Rows(Protocol):
    """As much of the rows as decisions need."""

    @property
    def customer(self) -> npt.NDArray[np.int32]: ...
    @property
    def now(self) -> npt.NDArray[np.int64]: ...


class Decider:
    """Holds the episodes and the rules' timers of a partition's customers."""

    def __init__(self, configuration: Configuration, features: Mapping[str, Feature], engine_version: str) -> None:
        self.configuration = configuration
        self.rules = configuration.rules.rules
        self.timers = RuleTimers()
        self.episodes: dict[int, Episode] = {}
        self.log = EpisodeLog(configuration.settings.tiers)
        self.model_version = "none"
        self._features = features
        self._engine_version = engine_version
        self._words = bits.words_of([False] * len(self.rules)).size
        self._traits = bits.Traits(
            bits.words_of([rule.hold_for > 0 for rule in self.rules]),
            bits.words_of([rule.keep_firing_for > 0 for rule in self.rules]),
            bits.words_of([rule.cooldown > 0 for rule in self.rules]),
        )
        settings = configuration.settings
        self._styles = {name: Style(name, settings.currency, int(settings.utc_offset)) for name in LANGUAGES}
        self._active = np.zeros(len(self.rules), np.int64)  # customers on which each rule is active
        self._out: list[EarlyWarning] = []
        self._decided_at = ""

    @property
    def words(self) -> int:
        """Words of rule bits per plane."""
        return self._words

    @property
    def least_hold(self) -> int:
        """No timer of the rules is shorter than this (µs), nor is it longer than a few hours."""
        spans = [span for rule in self.rules for span in (rule.hold_for, rule.keep_firing_for, rule.cooldown) if span]
        return min([LEAST_HOLD_US, *spans])

    def take(self, decided_at: str) -> list[EarlyWarning]:
        """The decisions since the last call; `decided_at` dates those to come."""
        out, self._out, self._decided_at = self._out, [], decided_at
        return out

    def decide(
        self,
        rows: Rows,
        count: int,
        columns: Columns,
        state: npt.NDArray[np.uint64],
        due: npt.NDArray[np.int64],
        asleep: npt.NDArray[np.bool_],
        who: Who,
    ) -> Iterable[int]:
        """Decide on the first `count` rows. `state`: rule bits per customer; `due[i]`: rules' timer of row i, or FAR.

        Returns the customers whose next timer of the rules has changed.
        """
        customers, now = rows.customer[:count], rows.now[:count]
        over = {int(i): self.timers.due(int(customers[i]), int(now[i])) for i in np.flatnonzero(due[:count] <= now)}
        for i, timers in over.items():
            for timer in timers:
                if timer.kind == bits.COOLING:
                    self._set(state, int(customers[i]), bits.COOLING, timer.rule, on=False)
        touched = {int(customers[i]) for i in over}
        for i, changes in self._changes(columns, customers, count, state, asleep):
            self._settle_over(i, over, int(customers[i]), int(now[i]), state, who)
            touched.add(int(customers[i]))
            self._apply(i, changes, int(customers[i]), int(now[i]), who, bool(asleep[i]))
        self._settle_over(count, over, -1, -1, state, who, customers, now)
        return touched

    def _changes(
        self,
        columns: Columns,
        customers: npt.NDArray[np.int32],
        count: int,
        state: npt.NDArray[np.uint64],
        asleep: npt.NDArray[np.bool_],
    ) -> list[tuple[int, list[tuple[int, int]]]]:
        """Per changed row, in order: the (rule, what) that changed."""
        sheet = Sheet(columns)
        firing, clearing = {}, {}
        for k, rule in enumerate(self.rules):
            mask = rule.expr.evaluate(sheet)
            if mask.any():
                firing[k] = mask
            if self._active[k] or k in firing:
                clearing[k] = rule.clear.evaluate(sheet)
        fire, clear = bits.pack(firing, count, self._words), bits.pack(clearing, count, self._words)
        found: list[tuple[int, list[tuple[int, int]]]] = []
        first = 0
        while first < count:
            changes = bits.room_for_changes(count, len(self.rules))
            first, many = bits.settle(state, customers, fire, clear, asleep, self._traits, first, changes)
            for row, rule, what in zip(
                changes.row[:many].tolist(), changes.rule[:many].tolist(), changes.what[:many].tolist(), strict=True
            ):
                if not found or found[-1][0] != row:
                    found.append((row, []))
                found[-1][1].append((rule, what))
        return found

    def _set(self, state: npt.NDArray[np.uint64], customer: int, plane: int, rule: int, *, on: bool) -> None:
        word, bit = plane * self._words + rule // 64, np.uint64(1 << (rule % 64))
        if on:
            state[customer, word] |= bit
        else:
            state[customer, word] &= ~bit

    def _settle_over(
        self,
        row: int,
        over: dict[int, list],  # type: ignore[type-arg]  # of timers
        customer: int,
        now: int,
        state: npt.NDArray[np.uint64],
        who: Who,
        customers: npt.NDArray[np.int32] | None = None,
        times: npt.NDArray[np.int64] | None = None,
    ) -> None:
        raise NotImplementedError
