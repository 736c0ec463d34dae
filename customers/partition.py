"""One partition's customers and all that is needed to fold events into them, row chunk by row chunk.

`Partition.apply` takes a batch through; whoever evaluates rows is a callback, so this room knows neither features nor
rules. Decisions may set `rules_due` of a customer between two calls; that is the only way back in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.dedup import Dedup
from customers.feeds import FeedClock, Known, Notice
from customers.ids import Ids
from customers.layout import FAR, L, T
from customers.measures import COUNT
from customers.notes import NO_SIGNALS, Declared
from customers.peers import REGIONS, SEGMENTS, region_group, segment_group
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
from events.codes import LINE_STATUS, Kind
from events.columns import ACCOUNT_GIVEN, Batch
from events.memory import PADDING

ROWS: Final = 4096
_PADDING: Final = np.frombuffer(PADDING, np.uint8)

Evaluate = Callable[[Rows, int], None]
Arrays = dict[str, npt.NDArray[np.generic] | bytes]


class Told(NamedTuple):
    """What a partition tells the others: of slots, and of days by region and segment (None: all) how much was used."""

    slots: list[Notice]
    days: list[tuple[int, list[tuple[str | None, str | None, int]]]]


class Work:
    """A batch on its way through: its events, what became of each, and what was known when."""

    def __init__(self, batch: Batch, settings: Settings, feeds: npt.NDArray[np.int64], attributes: int) -> None:
        self.batch = batch
        self.settings = settings
        self.feeds = feeds
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

    def __init__(
        self, limits: Limits, rule_words: int = 1, utc_offset: int = 0, declared: Declared = NO_SIGNALS
    ) -> None:
        self.limits = limits
        self.declared = declared
        self.customers = Customers(rule_words)
        self.ids = Ids()
        self.profiles = Profiles()
        self.feeds = FeedClock(utc_offset)
        self.clock = 0
        self._usage = Dedup(limits.usage_horizon, by_customer=True)
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
        known = self.feeds.begin(len(events))
        second = self.clock // 1_000_000
        self._usage.ensure(len(events) - facts, second, self._own_clocks)
        self._facts.ensure(facts, second)
        feeds = np.empty(len(events), np.int64)
        self.clock, self.feeds.clock, made = number(
            events,
            self.feeds.view,
            self.feeds.mine,
            self.feeds.theirs,
            self.clock,
            self.feeds.clock,
            most,
            feeds,
            known,
        )
        self.feeds.known = Known(known.slot[:made], known.feed[:made])
        return Work(batch, settings, feeds, attributes)

    def _own_clocks(self) -> npt.NDArray[np.int64]:
        """By which each customer's usage ages (µs): its newest, and never before the customer was first seen."""
        column = self.customers.column
        return np.maximum(column("times", T["newest_usage"]), column("times", T["first_seen"]))

    def _rows_of(self, batch: Batch) -> npt.NDArray[np.int32]:
        """The customers' rows; of the ids' bytes only the stretch that these events name is copied."""
        at, length = batch.events["id_at"], batch.events["id_len"]
        begin, end = (int(at.min()), int((at + length).max())) if len(at) else (0, 0)
        return self.ids.rows(np.concatenate([batch.text[begin:end], _PADDING]), at - np.int32(begin), length)

    def _accounts(self, batch: Batch) -> dict[int, str]:
        """Accounts that usage names, by event; only for customers whose account is not known yet, or forgotten on the way."""
        events = batch.events
        given = np.flatnonzero(events["flags"] & ACCOUNT_GIVEN)
        rows = events["customer"][given]
        told = np.zeros(len(rows), np.bool_)
        old = rows < self.customers.count
        told[old] = self.customers.column("labels", L["account"])[rows[old]] >= 0
        transferred = (events["kind"] == Kind.LINE_CHANGED) & (events["a"] == LINE_STATUS["transferred"])
        told &= ~np.isin(rows, events["customer"][transferred])
        found: dict[int, str] = {}
        for index in given[~told].tolist():
            if index not in batch.facts and (account := batch.account_id(index)):
                found[index] = account
        return found

    def told(self, before: int) -> Told:
        """What slots before `before` have shown here and was not handed out yet, for the other partitions."""
        regions, segments = self.profiles.labels["region"], self.profiles.labels["segment"]
        days = []
        for day, uses in self.feeds.peers.told(before):
            named: list[tuple[str | None, str | None, int]] = [(None, None, int(uses[0]))]
            for region in range(min(regions.count, REGIONS)):
                named.append((regions.text(region), None, int(uses[1 + region])))
                for segment in range(min(segments.count, SEGMENTS)):
                    count = int(uses[1 + REGIONS + region * SEGMENTS + segment])
                    if count:
                        named.append((regions.text(region), segments.text(segment), count))
            days.append((day, [one for one in named if one[2]]))
        return Told(self.feeds.told(before), days)

    def hear(self, told: Told) -> None:
        """What another partition's slots have shown; before anything of those slots' effects is due here."""
        self.feeds.hear(told.slots)
        for day, named in told.days:
            places = [(self._group(region, segment), uses) for region, segment, uses in named]
            known = [(place, uses) for place, uses in places if place is not None]
            groups, counts = np.array(known, np.int64).reshape(-1, 2).T
            self.feeds.peers.hear(day, groups, counts)

    def _group(self, region: str | None, segment: str | None) -> int | None:
        if region is None:
            return 0
        number = int(self.profiles.number("region", region))
        if segment is None:
            return region_group(number)
        return segment_group(number, int(self.profiles.number("segment", segment)))

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
                work.who,
                work.clocks,
                work.settings,
                todo,
                self._round,
                self._marks,
                self.limits,
                self.declared,
                self._usage.keys,
                self._usage.seen,
                self._usage.whose,
                self._facts.keys,
                self._facts.seen,
                self._facts.whose,
                work.fate,
                waiting,
                blocked,
                self.rows,
            )
            evaluate(self.rows, made)  # even of no rows: facts take effect before their customer's next event
            if blocks:  # fire what is due before each waiting customer's first waiting event
                first_waiting = blocked[:blocks]
                self._fire(work.who[first_waiting].astype(np.int64), work.clocks[first_waiting], evaluate)
            todo = np.concatenate([waiting[:waits], todo[passed:]])

    def sweep(self, until: int, evaluate: Evaluate) -> None:
        """Fire every customer's timers due up to `until` (µs)."""
        customers = self.customers
        due = due_by(customers.records, customers.wake[: customers.count], until)
        for start in range(0, len(due), ROWS):
            part = due[start : start + ROWS]
            self._fire(part, np.full(len(part), until), evaluate)

    def _fire(self, customers: npt.NDArray[np.int64], until: npt.NDArray[np.int64], evaluate: Evaluate) -> None:
        own, asked = self.customers.column("times", T["next_due"]), self.customers.column("times", T["rules_due"])
        while True:
            dues = np.minimum(own[customers], asked[customers])
            left = dues <= until
            if not left.any():
                return
            customers, until, dues = customers[left], until[left], dues[left]
            for start in range(0, len(customers), ROWS):
                part = customers[start : start + ROWS]
                feeds = self.feeds.known.at(dues[start : start + ROWS])
                timer_round(
                    self.customers.records,
                    self.customers.wake,
                    self.customers.pools,
                    self.feeds.view,
                    part,
                    feeds,
                    self.limits,
                    self.rows,
                )
                evaluate(self.rows, len(part))

    def look(self, customers: npt.NDArray[np.int64], at: int, work: Work | None = None) -> Iterator[tuple[Rows, int]]:
        """The customers' measures as of `at` (µs), chunk by chunk, without changing anything.

        Not before the clock; with the `work` that has come as far as `at`, as known then.
        """
        at = max(at, self.clock) if work is None else at
        feed = int(self.feeds.known.at(np.array([at]))[0])
        for start in range(0, len(customers), ROWS):
            part = customers[start : start + ROWS]
            look_round(
                self.customers.records,
                self.customers.pools,
                self.feeds.view,
                part,
                feed,
                at,
                self.rows,
            )
            yield self.rows, len(part)

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
        parts: Arrays = {"clocks": np.array([self.clock], np.int64)}
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

        self.clock = int(parts["clocks"][0])
        self.customers.restore(of("customers"))
        self.ids.restore(of("ids"))
        self.profiles.restore(of("profiles"))  # type: ignore[arg-type]  # may hold bytes too
        self.feeds.restore(of("feeds"))
        self._usage.restore(of("usage"))
        self._facts.restore(of("facts"))
        self._ensure_marks()
