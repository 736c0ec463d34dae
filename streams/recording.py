"""Recording of daily feature rows: at every local day's end an engine's customers are looked at and written down.

Looking changes nothing: the same is decided as without, because no decision depends on how a stream was cut or on where the
clock paused. It pauses at the day's last moment, so that a row holds what was known then, however many partitions there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from customers.ids import Ids
from customers.layout import C, T
from customers.measures import MEASURE
from customers.rounds import Rows
from engine.engine import Engine, Step
from engine.observing import RowColumns
from engine.parts import DAY_US, NO_LIMIT
from events.columns import Batch
from streams.batches import part
from streams.daily_rows import EVERYBODY, VERSION, Block, Gone, Head, Whose, key_mark, packed, pseudonym
from streams.day_files import DayFile, made_ready, tidied

LATE_US: Final = 90 * DAY_US
"""A day tells of everybody who left so long before it, for news of it may come late."""
_EPOCH: Final = dt.date(1970, 1, 1)
_STATUS: Final = MEASURE["line_status"]
Failed = Callable[[str, Exception], None]
"""Is told what could not be done, and why."""


class Recorder:
    """Writes the days of one engine into `folder`; days `keep` or more before the newest are deleted.

    Where a day cannot be written `failed` is told, and the next is tried again; without it OSError is raised.
    """

    def __init__(
        self, folder: Path, key: bytes, whose: Whose = EVERYBODY, keep: int | None = None, failed: Failed | None = None
    ) -> None:
        self._folder, self._key, self._whose, self._keep, self._failed = folder, key, whose, keep, failed
        self._known = np.zeros(0, np.uint64)  # pseudonyms by customer
        self._attempt(f"{folder} cannot be used", lambda: made_ready(folder))

    def record(self, engine: Engine, day: int) -> None:
        """Write down the end of a local day (days since 1970), which the clock has come to."""
        self._attempt(f"the rows of {_date(day)} could not be written", lambda: self._write(engine, day))

    def _attempt(self, failing: str, doing: Callable[[], None]) -> None:
        try:
            doing()
        except (OSError, MemoryError) as error:
            if self._failed is None:
                raise
            self._failed(failing, error)

    def _write(self, engine: Engine, day: int) -> None:
        at = _last_of(day, int(engine.settings.utc_offset))
        known = engine.known()
        here = engine.partition.customers.column("codes", C["churned"]) == 0
        pseudonyms = self._pseudonyms(engine.partition.ids, engine.partition.customers.count)
        head = self._head(engine, day, at, pseudonyms)
        self._folder.mkdir(parents=True, exist_ok=True)
        file = DayFile(self._folder, head)
        try:
            for rows, count in engine.partition.look(known[here[known]], at):
                file.add(self._block(engine, rows, count, head.features, pseudonyms))
            file.close()
        except BaseException:
            file.discard()
            raise
        tidied(self._folder, head, self._keep)

    def _pseudonyms(self, ids: Ids, count: int) -> npt.NDArray[np.uint64]:
        more = [pseudonym(ids.text(customer), self._key) for customer in range(len(self._known), count)]
        self._known = np.append(self._known, np.array(more, np.uint64))
        return self._known

    def _head(self, engine: Engine, day: int, at: int, pseudonyms: npt.NDArray[np.uint64]) -> Head:
        offset = int(engine.settings.utc_offset)
        first = engine.partition.customers.column("times", T["first_seen"])[engine.known()].min(initial=at)
        gone = [
            Gone(int(pseudonyms[one.customer]), _end_of_day(one.at, offset), one.counted, one.voluntary)
            for one in engine.decider.log.leavers
            if one.at > at - LATE_US
        ]
        return Head(
            version=VERSION,
            day=_date(day),
            at=at,
            features=list(engine.evaluation.definitions.place),
            gone=gone,
            partition=self._whose.partition,
            partitions=self._whose.partitions,
            epoch=self._whose.epoch,
            since=_date((int(first) + offset) // DAY_US),
            key=key_mark(self._key),
        )

    def _block(
        self, engine: Engine, rows: Rows, count: int, names: Sequence[str], pseudonyms: npt.NDArray[np.uint64]
    ) -> Block:
        evaluation = engine.evaluation
        evaluation.judge(rows, count, learn=False)
        sheet = RowColumns(evaluation, rows, count)
        columns: dict[str, npt.NDArray[np.float64]] = {}
        texts: dict[str, list[str]] = {}
        with np.errstate(all="ignore"):
            for name in names:
                columns[name] = np.asarray(sheet[name], np.float64)
                feature = evaluation.definitions.features.get(name)
                if feature is not None and feature.kind == "category":
                    columns[name], texts[name] = _worded(columns[name], name, engine)
        explained = evaluation.surroundings.explained(rows, count)
        return Block(
            pseudonyms[rows.customer[:count]].tobytes(),
            (rows.measures[:count, _STATUS] > 0).tobytes(),
            (np.zeros(count, np.bool_) if explained is None else explained).tobytes(),
            packed(columns),
            texts,
        )


class RecordingEngine(Engine):
    """An engine whose days are recorded, once it has a recorder; nothing else is another."""

    recorder: Recorder | None = None

    def record(self, recorder: Recorder) -> None:
        """Have every local day that ends from now on written down."""
        self.recorder = recorder

    def step(self, batch: Batch, decided_at: int, most: int = NO_LIMIT) -> Step:
        """Apply a batch, cut where a local day ends."""
        if self.recorder is None:
            return super().step(batch, decided_at, most)
        done, start = [], 0
        for end, days in self._ending(batch, most):
            if end > start:
                done.append(super().step(part(batch, start, end), decided_at, most))
            done += self._end(self.recorder, days, decided_at)
            start = end
        done.append(super().step(part(batch, start, len(batch)), decided_at, most))
        return joined(done)

    def advance(self, to: int, decided_at: int) -> Step:
        """Let the clock go on to `to`, by way of the days' ends."""
        clock = self.partition.clock
        if self.recorder is None or clock == 0:
            return super().advance(to, decided_at)
        ended = self._end(self.recorder, range(self._day(clock), self._day(to)), decided_at)
        return joined([*ended, super().advance(to, decided_at)])

    def _ending(self, batch: Batch, most: int) -> Iterator[tuple[int, Iterable[int]]]:
        """Where in a batch days end, and which; before the first event ever there is no day."""
        if not len(batch):
            return
        clock = self.partition.clock
        clocks = np.maximum(np.maximum.accumulate(np.minimum(batch.events["at"], most)), clock)
        days = (clocks + int(self.settings.utc_offset)) // DAY_US
        before = self._day(clock) if clock else int(days[0])
        for end in np.flatnonzero(np.diff(days, prepend=before)).tolist():
            yield end, range(before, int(days[end]))
            before = int(days[end])

    def _end(self, recorder: Recorder, days: Iterable[int], decided_at: int) -> list[Step]:
        """Let days end, one by one."""
        done = []
        for day in days:
            done.append(super().advance(_last_of(day, int(self.settings.utc_offset)), decided_at))
            recorder.record(self, day)
        return done

    def _day(self, at: int) -> int:
        """The local day of a time, in days since 1970."""
        return (at + int(self.settings.utc_offset)) // DAY_US


def _date(day: int) -> str:
    return (_EPOCH + dt.timedelta(days=day)).isoformat()


def _last_of(day: int, offset: int) -> int:
    """The last moment of a local day."""
    return (day + 1) * DAY_US - offset - 1


def _end_of_day(at: int, offset: int) -> int:
    return _last_of((at + offset) // DAY_US, offset)


def _worded(column: npt.NDArray[np.float64], name: str, engine: Engine) -> tuple[npt.NDArray[np.float64], list[str]]:
    """A category's codes as places among the texts that occur."""
    codes = np.unique(column[~np.isnan(column)])
    places = np.searchsorted(codes, column).astype(np.float64)
    places[np.isnan(column)] = np.nan
    return places, [engine.evaluation.definitions.text(name, float(code)) or "" for code in codes]


def joined(steps: Sequence[Step]) -> Step:
    """Several steps as one."""
    counted = [step.counted for step in steps if step.counted is not None]
    return Step(
        [one for step in steps for one in step.decisions],
        [one for step in steps for one in step.incidents],
        [one for step in steps for one in step.dead],
        sum(step.applied for step in steps),
        sum(step.duplicates for step in steps),
        [one for step in steps for one in step.shadow],
        [one for step in steps for one in step.alarms],
        np.concatenate(counted) if counted else None,
    )
