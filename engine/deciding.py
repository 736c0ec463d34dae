"""From the rows of a round to decisions: features, signals, risk and rules; what rules wait for goes back as timers."""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.partition import Evaluate, Work
from customers.rounds import Rows
from engine.effects import Effects
from engine.parts import Parts
from events.columns import EVENT

_NO_EVENTS: Final = np.zeros(0, EVENT)


class Deciding:
    """Judges and decides each round, then lets the facts in it take effect."""

    def __init__(self, parts: Parts, effects: Effects) -> None:
        self._parts = parts
        self._effects = effects
        self._work: Work | None = None
        self.look: Evaluate | None = None  # is shown the rows that were decided on

    def begin(self, work: Work) -> None:
        """A batch begins: rows may name its events."""
        self._work = work
        self._effects.begin(work)

    def end(self) -> None:
        """The batch is over."""
        self._work = None
        self._effects.end()

    def evaluate(self, rows: Rows, count: int) -> None:
        """Decide on the first `count` rows."""
        parts = self._parts
        parts.writer.versions["model"] = parts.evaluation.model_version
        if count:
            if self._work is not None:
                parts.watches.rows(rows, count, self._work.batch.events["kind"])
            self._decide(rows, count)
            if self.look is not None:
                self.look(rows, count)
        self._effects.take(None)

    def _decide(self, rows: Rows, count: int) -> None:
        parts = self._parts
        evaluation, decider = parts.evaluation, parts.decider
        verdict = evaluation.judge(rows, count)
        evaluation.freeze(rows, count)
        events = _NO_EVENTS if self._work is None else self._work.batch.events
        explained = evaluation.surroundings.explained(rows, count)
        if parts.shadow:
            parts.shadow.ensure(parts.partition.customers.count)
            verdict, aside = evaluation.apart(verdict, count)
            parts.shadow.decide(rows, count, aside, events, evaluation.who(parts.names), explained)
        touched = decider.decide(
            rows.customer[:count],
            rows.now[:count],
            rows.asked[:count],
            verdict,
            parts.partition.customers.bits,
            decider.renewal.words(events, rows.event[:count], rows.measures),
            evaluation.who(parts.names),
            explained,
        )
        for customer in touched:
            parts.wake(customer)
