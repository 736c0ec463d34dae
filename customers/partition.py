"""One partition's customers and all that is needed to fold events into them, row chunk by row chunk.

`Partition.apply` takes a batch through; whoever evaluates rows is a callback, so this room knows neither features nor
rules. Decisions may set `rules_due` of a customer between two calls; that is the only way back in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from customers.dedup import Dedup
from customers.feeds import FeedClock
from customers.ids import Ids
from customers.layout import FAR, L, T
from customers.measures import COUNT
from customers.profiles import Profiles
from customers.rounds import (
    SET_ATTRIBUTE,
    Limits,
    Marks,
    Rows,
    Settings,
    due_by,
    fold_round,
    look_round,
    number,
    timer_round,
)
from customers.state import Customers
from events.columns import ACCOUNT_GIVEN, Batch
from events.memory import PADDING

ROWS: Final = 4096
_PADDING: Final = np.frombuffer(PADDING, np.uint8)

Evaluate = Callable[[Rows, int], None]
Arrays = dict[str, npt.NDArray[np.generic] | bytes]


class Work:
    """A batch on its way through: its events, what became of each, and what was known when."""

    def __init__(
        self, batch: Batch, settings: Settings, feeds: npt.NDArray[np.int64], seq: int, attributes: int
    ) -> None:
        self.batch = batch
        self.settings = settings
        self.feeds = feeds
        self.seq = seq
        self._attributes = attributes  # columns known before the batch
        self.fate = np.zeros(len(batch.events), np.uint8)
        self.who = np.ascontiguousarray(batch.events["customer"])
        self.clocks = np.ascontiguousarray(batch.events["clock"])  # never falling

    def attributes_by(self, end: int) -> int:
        """How many attribute columns the events before `end` have brought."""
        before = self.settings.first[end]
        columns = self.settings.place[:before][self.settings.block[:before] == SET_ATTRIBUTE]
        return max(self._attributes, int(columns.max()) + 1 if len(columns) else 0)


class Partition:
    """State and clocks of one partition."""

    def __init__(self, limits: Limits, rule_words: int = 1, utc_offset: int = 0) -> None:
        self.limits = limits
        self.customers = Customers(rule_words)
        self.ids = Ids()
        self.profiles = Profiles()
        self.feeds = FeedClock(utc_offset)
        self.clock = 0
        self.seq = 0
        self._usage = Dedup(limits.usage_horizon)
        self._facts = Dedup(limits.fact_horizon)
        self._round = 0
        self._marks = Marks(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8))
        self.rows = Rows(
            np.empty((ROWS, COUNT)),
            np.empty(ROWS, np.int32),
            np.empty(ROWS, np.int64),
            np.empty(ROWS, np.int64),
            np.empty(ROWS, np.bool_),
            np.empty(ROWS, np.bool_),
        )

    def admit(self, batch: Batch, most: int) -> Work:
        """Number a batch: rows of customers, stream clocks, settings of profiles. The clock never passes `most` (µs)."""
        attributes = len(self.profiles.attributes.columns)
        events, facts = batch.events, len(batch.facts)
        events["customer"] = self._rows_of(batch)
        settings = self.profiles.collect(batch.facts, self._accounts(batch), len(events))
        self.customers.widen_attributes(len(self.profiles.attributes.columns))
        self.customers.ensure(self.ids.count, facts)
        self.customers.count = self.ids.count
        self._ensure_marks()
        self.feeds.ensure(len(events))
        second = self.clock // 1_000_000
        self._usage.ensure(len(events) - facts, second)
        self._facts.ensure(facts, second)
        feeds = np.empty(len(events), np.int64)
        self.clock, self.feeds.clock = number(
            events, self.feeds.view, self.clock, self.feeds.clock, self.seq, most, feeds
        )
        work = Work(batch, settings, feeds, self.seq, attributes)
        self.seq += len(events)
        return work

    def _rows_of(self, batch: Batch) -> npt.NDArray[np.int32]:
        """The customers' rows; of the ids' bytes only the stretch that these events name is copied."""
        at, length = batch.events["id_at"], batch.events["id_len"]
        begin, end = (int(at.min()), int((at + length).max())) if len(at) else (0, 0)
        return self.ids.rows(np.concatenate([batch.text[begin:end], _PADDING]), at - np.int32(begin), length)

    def _accounts(self, batch: Batch) -> dict[int, str]:
        """Accounts that usage names, by event; only for customers whose account is not known yet."""
        given = np.flatnonzero(batch.events["flags"] & ACCOUNT_GIVEN)
        rows = batch.events["customer"][given]
        told = np.zeros(len(rows), np.bool_)
        old = rows < self.customers.count
        told[old] = self.customers.column("labels", L["account"])[rows[old]] >= 0
        found: dict[int, str] = {}
        for index in given[~told].tolist():
            if index not in batch.facts and (account := batch.account_id(index)):
                found[index] = account
        return found

    def _ensure_marks(self) -> None:
        if len(self._marks.round) < self.customers.count:
            size = int(self.customers.count * 1.25) + ROWS
            self._marks = Marks(np.zeros(size, np.int32), np.zeros(size, np.int64), np.zeros(size, np.uint8))
            self._round = 0

    def run(self, work: Work, first: int, last: int, evaluate: Evaluate) -> None:
        """Fold events first … last−1 of the work, in order, with every timer that is due before each."""
        todo = np.arange(first, last)
        waiting, blocked = np.empty(last - first, np.int64), np.empty(last - first, np.int64)
        while len(todo):
            self._round += 1
            passed, made, waits, blocks = fold_round(
                self.customers.records,
                self.customers.attributes,
                self.customers.wake,
                self.customers.pools,
                self.feeds.view,
                work.batch.events,
                work.feeds,
                work.seq,
                work.who,
                work.clocks,
                work.settings,
                todo,
                self._round,
                self._marks,
                self.limits,
                self._usage.keys,
                self._usage.seen,
                self._facts.keys,
                self._facts.seen,
                work.fate,
                waiting,
                blocked,
                self.rows,
            )
            evaluate(self.rows, made)  # even of no rows: facts take effect before their customer's next event
            if blocks:  # fire what is due before each waiting customer's first waiting event
                first_waiting = blocked[:blocks]
                self._fire(work, work.who[first_waiting].astype(np.int64), work.clocks[first_waiting], evaluate)
            todo = np.concatenate([waiting[:waits], todo[passed:]])

    def sweep(self, work: Work | None, until: int, evaluate: Evaluate) -> None:
        """Fire every customer's timers due up to `until` (µs)."""
        customers = self.customers
        due = due_by(customers.records, customers.wake[: customers.count], until)
        for start in range(0, len(due), ROWS):
            part = due[start : start + ROWS]
            self._fire(work, part, np.full(len(part), until), evaluate)

    def _fire(
        self, work: Work | None, customers: npt.NDArray[np.int64], until: npt.NDArray[np.int64], evaluate: Evaluate
    ) -> None:
        own, asked = self.customers.column("times", T["next_due"]), self.customers.column("times", T["rules_due"])
        while True:
            dues = np.minimum(own[customers], asked[customers])
            left = dues <= until
            if not left.any():
                return
            customers, until, dues = customers[left], until[left], dues[left]
            for start in range(0, len(customers), ROWS):
                part = customers[start : start + ROWS]
                feeds, seqs = self._known_at(work, dues[start : start + ROWS])
                timer_round(
                    self.customers.records,
                    self.customers.wake,
                    self.customers.pools,
                    self.feeds.view,
                    part,
                    feeds,
                    seqs,
                    self.limits,
                    self.rows,
                )
                evaluate(self.rows, len(part))

    def look(self, customers: npt.NDArray[np.int64], at: int, work: Work | None = None) -> Iterator[tuple[Rows, int]]:
        """The customers' measures as of `at` (µs), chunk by chunk, without changing anything.

        Not before the clock; with the `work` that has come as far as `at`, as known then.
        """
        at = max(at, self.clock) if work is None else at
        feeds, seqs = self._known_at(work, np.array([at]))
        for start in range(0, len(customers), ROWS):
            part = customers[start : start + ROWS]
            look_round(
                self.customers.records,
                self.customers.pools,
                self.feeds.view,
                part,
                int(feeds[0]),
                int(seqs[0]),
                at,
                self.rows,
            )
            yield self.rows, len(part)

    def _known_at(
        self, work: Work | None, times: npt.NDArray[np.generic]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The feed's clock and the sequence number just before the event that took the clock to each time."""
        if work is None:
            return np.full(len(times), self.feeds.clock), np.full(len(times), self.seq)
        at = np.searchsorted(work.clocks, times)
        inside = at < len(work.feeds)
        feeds = np.where(inside, work.feeds[np.minimum(at, len(work.feeds) - 1)], self.feeds.clock)
        return feeds, work.seq + at - 1

    def set_rules_due(self, customer: int, due: int | None) -> None:
        """The rules want this customer evaluated at `due` (µs); None: not at all."""
        times = self.customers.records["times"]
        times[customer, T["rules_due"]] = FAR if due is None else due
        if due is not None:
            wake = self.customers.wake
            wake[customer] = min(int(wake[customer]), max(due, 0) // 1_000_000)

    def stop_timers(self, customer: int) -> None:
        """Nothing is waited for until the customer's next event."""
        times = self.customers.records["times"]
        times[customer, T["rules_due"]] = times[customer, T["next_due"]] = FAR

    def snapshot(self) -> Arrays:
        """Everything, as named arrays and bytes; views of live arrays, so write them before the next step."""
        parts: Arrays = {"clocks": np.array([self.clock, self.seq], np.int64)}
        sources: dict[str, Mapping[str, npt.NDArray[np.generic] | bytes]] = {
            "customers": self.customers.snapshot(),
            "ids": self.ids.snapshot(),
            "profiles": self.profiles.snapshot(),
            "feeds": self.feeds.snapshot(),
            "usage": self._usage.snapshot(),
            "facts": self._facts.snapshot(),
        }
        for room, arrays in sources.items():
            parts.update({f"{room}.{name}": array for name, array in arrays.items()})
        return parts

    def restore(self, parts: Arrays) -> None:
        """Take over a snapshot.

        Raises ValueError when it is of another layout.
        """

        def of(room: str) -> dict[str, npt.NDArray[np.generic]]:
            cut = len(room) + 1
            return {name[cut:]: part for name, part in parts.items() if name.startswith(room + ".")}  # type: ignore[misc]

        self.clock, self.seq = (int(value) for value in parts["clocks"])
        self.customers.restore(of("customers"))
        self.ids.restore(of("ids"))
        self.profiles.restore(of("profiles"))  # type: ignore[arg-type]  # may hold bytes too
        self.feeds.restore(of("feeds"))
        self._usage.restore(of("usage"))
        self._facts.restore(of("facts"))
        self._ensure_marks()
