"""When the model learns: at ticks of event time, daily, after an outcome, and when examples mature. A batch is cut there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from customers.partition import Evaluate, Work
from engine.parts import DAY_US, Parts
from events.codes import Kind

_CHURNED, _RETURNED = int(Kind.CUSTOMER_CHURNED), int(Kind.CUSTOMER_RETURNED)
_NONE: Final = np.zeros(0, np.int64)


class Ticking:
    """Where the ticks are, and what happens at one. Times are stream clocks in µs."""

    def __init__(self, parts: Parts, evaluate: Evaluate) -> None:
        self._parts = parts
        self._evaluate = evaluate
        self.ticked = 0  # the last tick of event time that the model saw
        self.outcome_at = 0  # clock of the first outcome since then; 0: none

    def cut(self, work: Work) -> Iterator[tuple[int, int | None]]:
        """Where the model ticks in a batch: (end of the stretch, the tick that follows it)."""
        clocks, count = work.clocks, len(work.clocks)
        if not self._parts.model.learning:
            yield count, None
            return
        kinds = work.batch.events["kind"]
        outcome_clocks = clocks[(kinds == _CHURNED) | (kinds == _RETURNED)]
        if self.ticked == 0 and count:
            self.ticked = int(clocks[0]) // DAY_US * DAY_US
        while True:
            tick = self._next(outcome_clocks)
            end = int(np.searchsorted(clocks, tick))
            if end < count and self._is_far(tick, int(clocks[end])):
                yield end, None  # only what is folded up to here tells whether there is anything to learn
                if end:
                    self._parts.partition.sweep(int(clocks[end - 1]), self._evaluate)
                tick = self._skip(tick, int(clocks[end]))
            if count == 0 or tick > clocks[-1]:
                yield count, None
                left = outcome_clocks[np.searchsorted(outcome_clocks, self.ticked) :]
                if self.outcome_at == 0 and len(left):
                    self.outcome_at = int(left[0])  # the tick that follows it may come with a later batch
                return
            yield end, tick

    def next(self) -> int | None:
        """The next tick where no events come; None where the model does not learn."""
        return self._next(_NONE) if self._parts.model.learning and self.ticked > 0 else None

    def pass_by(self, tick: int, to: int) -> None:
        """Tick on the way to `to`, where no events come."""
        self.tick(self._skip(tick, to), len(self._parts.partition.profiles.attributes.columns))

    def tick(self, tick: int, attributes: int) -> None:
        """Fire what is due before the tick, then let the model learn, and take in the attributes there are by now."""
        parts = self._parts
        parts.partition.sweep(tick - 1, self._evaluate)
        parts.evaluation.show(attributes)
        if parts.model.tick(tick):
            parts.evaluation.model_changed()
        self.ticked, self.outcome_at = tick, 0

    def _is_far(self, tick: int, coming: int) -> bool:
        """Whether the event at `coming` is more than a horizon after the tick."""
        return coming - tick > self._parts.model.settings.horizon_us

    def _skip(self, tick: int, coming: int) -> int:
        """The tick, or, over a long empty stretch with nothing to learn, the last midnight before `coming`."""
        if not self._is_far(tick, coming) or not self._parts.model.idle():
            return tick
        return max(tick, coming // DAY_US * DAY_US)

    def _next(self, outcome_clocks: npt.NDArray[np.int64]) -> int:
        """The next tick at which the model has anything to do: daily, after an outcome, when examples mature."""
        step = int(self._parts.settings.tick)
        first = self.ticked
        tick = (first // DAY_US + 1) * DAY_US
        coming = outcome_clocks[np.searchsorted(outcome_clocks, first) :]
        outcome_at = self.outcome_at or (int(coming[0]) if len(coming) else 0)
        if outcome_at:
            tick = min(tick, (outcome_at // step + 1) * step)
        ready = self._parts.model.ready_at()
        if ready is not None:
            tick = min(tick, max(-(-ready // step) * step, (first // step + 1) * step))
        return tick
