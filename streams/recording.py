"""Recording of daily feature rows: an engine between whose steps every local day's end is looked at and written down.

Looking changes nothing: the same rows are decided on as without, because no decision depends on how a stream was cut.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from customers.layout import C
from customers.measures import MEASURE
from customers.rounds import Rows
from events.columns import Batch
from streams.core import Core
from streams.daily_rows import VERSION, Block, DayFile, Gone, Head, packed, pseudonym
from streams.engine import Engine, Step
from streams.observing import RowColumns
from streams.parts import DAY_US
from streams.problems import UsageError

LATE_US: Final = 90 * DAY_US
"""A day tells of everybody who left so long before it, for news of it may come late."""
_EPOCH: Final = dt.date(1970, 1, 1)
_STATUS: Final = MEASURE["line_status"]


class RecordingEngine:
    """An engine as its drivers see it, that writes a file into `folder` for every local day that ends."""

    def __init__(self, engine: Engine, folder: Path, key: bytes) -> None:
        self._engine = engine
        self._folder = folder
        self._key = key
        self._known: list[int] = []  # pseudonyms by customer

    def step(self, batch: Batch, decided_at: int, /) -> Step:
        """Apply a batch, cut where a local day ends."""
        clock = self._engine.partition.clock
        clocks = np.maximum.accumulate(np.append(clock, batch.events["at"]))
        days = (clocks + int(self._engine.settings.utc_offset)) // DAY_US
        first = 1 if clock == 0 and len(batch) else 0  # before the first event there is no day
        cuts = np.flatnonzero(np.diff(days[first:])) + first
        done, start = [], 0
        for end in cuts.tolist():
            if end > start:
                done.append(self._engine.step(batch.take(np.arange(start, end)), decided_at))
            for day in range(int(days[end]), int(days[end + 1])):
                self._record(day)
            start = end
        rest = batch if start == 0 else batch.take(np.arange(start, len(batch)))
        return joined([*done, self._engine.step(rest, decided_at)])

    def advance(self, to: int, decided_at: int, /) -> Step:
        """Let time pass; no more than the day that the last event was on is begun, so none ends here."""
        return self._engine.advance(to, decided_at)

    def _record(self, day: int) -> None:
        """Write down the end of a local day (days since 1970)."""
        engine = self._engine
        at = (day + 1) * DAY_US - int(engine.settings.utc_offset) - 1
        here = engine.partition.customers.column("codes", C["churned"]) == 0
        known = engine.known()
        ids = engine.partition.ids
        while len(self._known) < engine.partition.customers.count:
            self._known.append(pseudonym(ids.text(len(self._known)), self._key))
        pseudonyms = np.array(self._known, np.uint64)
        names = list(engine.evaluation.place)
        date = (_EPOCH + dt.timedelta(days=day)).isoformat()
        gone = [
            Gone(self._known[one.customer], self._end_of_day(one.at), one.counted, one.voluntary)
            for one in engine.decider.log.leavers
            if one.at > at - LATE_US
        ]
        file = DayFile(self._folder, Head(version=VERSION, day=date, at=at, features=names, gone=gone))
        for rows, count in engine.partition.look(known[here[known]], at):
            file.add(self._block(rows, count, names, pseudonyms))
        file.close()

    def _end_of_day(self, at: int) -> int:
        offset = int(self._engine.settings.utc_offset)
        return ((at + offset) // DAY_US + 1) * DAY_US - offset - 1

    def _block(self, rows: Rows, count: int, names: Sequence[str], pseudonyms: npt.NDArray[np.uint64]) -> Block:
        evaluation = self._engine.evaluation
        evaluation.judge(rows, count, learn=False)
        sheet = RowColumns(evaluation, rows, count)
        columns: dict[str, npt.NDArray[np.float64]] = {}
        texts: dict[str, list[str]] = {}
        with np.errstate(all="ignore"):
            for name in names:
                columns[name] = np.asarray(sheet[name], np.float64)
                feature = evaluation.features.get(name)
                if feature is not None and feature.kind == "category":
                    columns[name], texts[name] = _worded(columns[name], name, self._engine)
        explained = evaluation.explained(rows, count)
        return Block(
            pseudonyms[rows.customer[:count]].tobytes(),
            (rows.measures[:count, _STATUS] > 0).tobytes(),
            (np.zeros(count, np.bool_) if explained is None else explained).tobytes(),
            packed(columns),
            texts,
        )

    def scores(self, at: int, /) -> Iterable[tuple[str, float | None, str | None]]:
        return self._engine.scores(at)

    def save_model(self) -> bytes:
        return self._engine.save_model()

    def report(self) -> Mapping[str, Any]:
        return self._engine.report()

    def snapshot(self) -> Mapping[str, npt.NDArray[Any] | bytes]:
        return self._engine.snapshot()


def _worded(column: npt.NDArray[np.float64], name: str, engine: Engine) -> tuple[npt.NDArray[np.float64], list[str]]:
    """A category's codes as places among the texts that occur."""
    codes = np.unique(column[~np.isnan(column)])
    places = np.searchsorted(codes, column).astype(np.float64)
    places[np.isnan(column)] = np.nan
    return places, [engine.evaluation.text(name, float(code)) or "" for code in codes]


def joined(steps: Sequence[Step]) -> Step:
    """Several steps as one."""
    return Step(
        [one for step in steps for one in step.decisions],
        [one for step in steps for one in step.incidents],
        [one for step in steps for one in step.dead],
        sum(step.applied for step in steps),
        sum(step.duplicates for step in steps),
        [one for step in steps for one in step.shadow],
        [one for step in steps for one in step.alarms],
        np.concatenate([step.counted for step in steps if step.counted is not None] or [np.zeros(0, np.bool_)]),
    )


def pseudonym_key(*, resumed: bool, environment: Mapping[str, str] = os.environ) -> bytes:
    """CHURN_PSEUDONYM_KEY, else a random one that nobody keeps, so that rows of two runs are of strangers.

    Raises UsageError where a run that may be resumed is given none.
    """
    given = environment.get("CHURN_PSEUDONYM_KEY", "")
    if not given and resumed:
        raise UsageError(
            "--feature-rows with --state: set CHURN_PSEUDONYM_KEY, so that a resumed run names customers alike"
        )
    return hashlib.blake2b(given.encode(), digest_size=32).digest() if given else secrets.token_bytes(32)


def recorded(engine: Engine, folder: Path | None, key: bytes) -> Core:
    """The engine, recording where a folder is asked for. Raises OSError."""
    if folder is None:
        return engine
    folder.mkdir(parents=True, exist_ok=True)
    return RecordingEngine(engine, folder, key)
