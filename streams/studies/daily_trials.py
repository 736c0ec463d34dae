"""A rule set over daily feature rows: the engine's own decisions, with one look at each customer a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.features import FEATURES
from engine.judging import Verdict, room
from engine.parts import DAY_US, writer_of
from engine.shadow import FAR, PLANES
from events.times import time_of
from rules.backtesting import Trial, Warned
from rules.bits import Words
from rules.columns import BoolArray, Sheet
from rules.decide import Decider
from rules.early_warning import EarlyWarning, StatusReason
from rules.expressions import Compiled
from rules.gaps import DayOf, gaps_of
from rules.grain import finer
from rules.load import Configuration
from rules.outcomes import Leaver
from rules.signals import features_of
from streams.daily_rows import Block, Head, RowColumns, read
from streams.day_files import day_files
from streams.problems import UsageError
from streams.replay import Watch, unwatched

_OPEN: Final = ("raised", "elevated")


class RowView:
    """One row of a block, as reasons, causes and policy see it."""

    def __init__(self, columns: RowColumns, sheet: Sheet, row: int) -> None:
        self._columns = columns
        self._sheet = sheet
        self._row = row

    def value(self, feature: str) -> float | str | None:
        """A number (NaN unknown), or a category's text."""
        value = float(self._sheet[feature][self._row])
        return self._columns.text(feature, value) if self._columns.is_category(feature) else value

    def normal(self, _feature: str) -> None:
        """Not recorded."""

    def holds(self, condition: Compiled) -> bool:
        """Whether a condition is definitely true."""
        with np.errstate(all="ignore"):
            return bool(condition.evaluate(self._sheet)[self._row])

    def incident_id(self) -> None:
        """Not recorded."""

    def contributions(self) -> Sequence[tuple[str, float]]:
        """Not recorded."""
        return ()


class _Who:
    def __init__(self, names: list[str], columns: RowColumns | None = None, sheet: Sheet | None = None) -> None:
        self._names = names
        self._columns = columns
        self._sheet = sheet

    def customer_id(self, customer: int) -> str:
        return self._names[customer]

    def account_id(self, _customer: int) -> None:
        return None

    def view(self, row: int | None) -> RowView | None:
        if row is None or self._columns is None or self._sheet is None:
            return None
        return RowView(self._columns, self._sheet, row)


class DailyRun:
    """Takes rows day after day, each from any number of files. Customers are numbered as they come; `names` are their pseudonyms.

    A customer has one row a day: who comes again, from another partition, is counted among the `repeated`.
    """

    def __init__(self, configuration: Configuration, share: float = 1.0) -> None:
        self.decider = Decider(configuration, writer_of(configuration))
        self.names: list[str] = []
        self.warned: list[Warned] = []
        self.rows = self.begin = self.end = self.repeated = self.files = 0
        self.recorded: Counter[str] = Counter()  # in how many files
        self._most = int(share * 2**20)
        self._limits = [limit.condition for limit in configuration.policy.limits]
        self._codes: dict[str, dict[str, float]] = {}
        self._number: dict[int, int] = {}
        self._left: set[tuple[int, int]] = set()
        self._bits: Words = np.zeros((0, PLANES * self.decider.words), np.uint64)
        self._due = np.zeros(0, np.int64)
        self._seen = np.zeros(0, np.int64)  # of which moment a customer's last row was
        self._verdict: Verdict = room(0, self.decider.words)

    def begin_day(self, head: Head) -> None:
        """A file begins: those who left are gone by now."""
        self.files += 1
        self.recorded.update(head.features)
        self.begin = self.begin or head.at - DAY_US + 1
        self.end = max(self.end, head.at)
        who = _Who(self.names)
        for one in head.gone:
            customer = self._number.get(one.customer)
            if customer is None or (customer, one.at) in self._left:
                continue
            self._left.add((customer, one.at))
            self.decider.left(Leaver(customer, one.at, one.counted, one.voluntary), who)
            self.decider.gone(customer, head.at, StatusReason.CHURNED, self._bits, who)
            self._due[customer] = FAR

    def take(self, block: Block, at: int) -> None:
        """Decide on a block of rows, all of the moment `at` (µs)."""
        pseudonyms = np.frombuffer(block.customers, np.uint64)
        kept = np.flatnonzero(pseudonyms >> np.uint64(44) < self._most)
        customers = np.array([self._numbered(one) for one in pseudonyms[kept].tolist()], np.int32)
        first = self._seen[customers] < at
        self.repeated += int(np.count_nonzero(~first))
        kept, customers = kept[first], customers[first]
        self._seen[customers] = at
        if not len(customers):
            return
        columns = RowColumns(block, kept, self._codes)
        sheet, count = Sheet(columns), len(customers)
        columns.put_now(at)
        verdict, who = self._verdict, _Who(self.names, columns, sheet)
        with np.errstate(all="ignore"):
            rules = self.decider.rules
            verdict.fire[:count] = packed_bits(
                [rule.fires.evaluate(sheet) for rule in rules], count, self.decider.words
            )
            verdict.clear[:count] = packed_bits(
                [rule.clears.evaluate(sheet) for rule in rules], count, self.decider.words
            )
            verdict.bound[:count] = False
            for limit in self._limits:
                verdict.bound[:count] |= limit.evaluate(sheet)
        verdict.asleep[:count] = np.frombuffer(block.asleep, np.bool_)[kept]
        explained = np.frombuffer(block.explained, np.bool_)[kept]
        asked = self._due[customers] <= at
        renewing = np.zeros((count, self.decider.words), np.uint64)
        now = np.full(count, at, np.int64)
        for customer in self.decider.decide(customers, now, asked, verdict, self._bits, renewing, who, explained):
            due = self.decider.timers.next(customer)
            self._due[customer] = FAR if due is None else due
        self.rows += count
        self._note(self.decider.take())

    def _numbered(self, pseudonym: int) -> int:
        found = self._number.get(pseudonym)
        if found is None:
            found = self._number[pseudonym] = len(self.names)
            self.names.append(f"{pseudonym:016x}")
            if found >= len(self._due):
                more = max(1024, found // 4)
                self._bits = np.concatenate([self._bits, np.zeros((more, self._bits.shape[1]), np.uint64)])
                self._due = np.concatenate([self._due, np.full(more, FAR, np.int64)])
                self._seen = np.concatenate([self._seen, np.zeros(more, np.int64)])
        return found

    def lacking(self, names: Iterable[str]) -> list[str]:
        """Those of some features that were not recorded, or not always."""
        return [
            name + (f" (in {self.recorded[name]} of {self.files} files)" if self.recorded[name] else "")
            for name in sorted(names)
            if self.recorded[name] < self.files
        ]

    def _note(self, decisions: Sequence[EarlyWarning]) -> None:
        for one in decisions:
            if one.status in _OPEN:
                rules, at = tuple(rule.id for rule in one.rules), time_of(one.raised_at, "raised_at")
                self.warned.append(
                    Warned(one.warning_id, one.customer_id, one.status, at, one.tier, one.queue, rules, one.held_out)
                )


def packed_bits(masks: Sequence[BoolArray], count: int, words: int) -> npt.NDArray[np.uint64]:
    """Masks of rules as bits, u8[row, words]."""
    flags = np.zeros((count, words * 64), np.bool_)
    for k, mask in enumerate(masks):
        flags[:, k] = mask
    return np.packbits(flags, axis=1, bitorder="little").view(np.uint64)


def heads_of(paths: Sequence[Path]) -> list[Head]:
    """What the files say of themselves; raises UsageError where customers of one would be strangers to another."""
    heads = [read(path)[0] for path in paths]
    known: dict[str, Path] = {}
    for path, head in zip(paths, heads, strict=True):
        if head.key:
            known.setdefault(head.key, path)
    if len(known) > 1:
        one, other, *_ = known.values()
        raise UsageError(f"{other}: recorded under another key than {one}, so nobody can be recognised")
    return heads


def tried_daily(files: tuple[str, ...], configuration: Configuration, share: float, watch: Watch = unwatched) -> Trial:
    """What a rule set would have done, by daily rows. Raises UsageError, OSError."""
    run, done = DailyRun(configuration, share), 0
    paths = day_files(files) or []
    gaps = gaps_of(DayOf(one.day, one.partition, one.partitions, one.since) for one in heads_of(paths))
    for path in paths:
        head, blocks = read(path)
        run.begin_day(head)
        for block in blocks:
            run.take(block, head.at)
        done += Path(path).stat().st_size
        watch(done, run.rows)
    decider, settings = run.decider, configuration.settings
    known = {feature.name: feature for feature in (*FEATURES, *features_of(settings.signals))}
    now: dict[str, list[str]] = {}
    for customer, episode in decider.episodes.items():
        for k in episode.rules:
            now.setdefault(decider.rules[k].id, []).append(run.names[customer])
    unknown = {rule.id: run.lacking(rule.fires.features | rule.clear.features) for rule in decider.rules}
    gaps.repeated = run.repeated
    return Trial(
        version=configuration.rules.version,
        tiers=settings.tiers,
        horizon_days=settings.horizon_days,
        utc_offset=int(settings.utc_offset),
        rules={rule.id: rule.tier for rule in decider.rules},
        capacity={str(queue): float(most) for queue, most in settings.capacity.items()},
        events=run.rows,
        begin=run.begin,
        end=run.end,
        share=share,
        known=len(run.names),
        names=run.names,
        warned=run.warned,
        episodes=decider.log.episodes,
        leavers=decider.log.leavers,
        now=now,
        daily=True,
        finer={rule.id: lines for rule in decider.rules if (lines := finer(rule, known))},
        unrecorded={rule: names for rule, names in unknown.items() if names},
        gaps=gaps,
        aside=configuration.rules.aside,
    )
