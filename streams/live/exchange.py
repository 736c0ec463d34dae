"""What partitions tell one another, so that each decides as one partition of all customers would (customers/feeds.py).

Every partition says how far its clock has come and what its slots have shown, and hears the same of all others. Its own
events wait where it has not heard enough: a partition in slot s knows what all slots up to s − LATER have shown, so while
events are live the others have nearly two hours, and only a partition that fell behind by more makes others wait.

A partition without events goes on with the others' newest event, once it is sure to have none before it itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Protocol

from customers.feeds import LATER
from customers.partition import Told
from events.times import SLOT_US
from population.findings import Finding, Said, Word
from population.reports import Turn, in_turn
from streams.live.merge import NEVER

DAY_US: Final = 86_400_000_000
FRONTIER_SECONDS: Final = 0.2
"""A statement that has nothing but a newer frontier waits so long after the one before it: only idle partitions need it."""


MOST_REPORTED: Final = 100_000
"""Characters of reports in one statement."""


def as_many(reports: list[str]) -> tuple[list[str], list[str]]:
    """The first reports, as many as fit into a statement, and the others; one at least."""
    room, count = MOST_REPORTED, 0
    for report in reports:
        room -= len(report)
        if room < 0:
            break
        count += 1
    return reports[: max(1, count)], reports[max(1, count) :]


class Statement(Word, frozen=True, kw_only=True):
    """What a partition says: everything that its slots from `since` on and before `before` have shown, the time (µs) of the
    newest event that it has read, and what was reported of the network and the market: all that it ever said, from the
    `first`-th on; and its word for the one that judges (docs/adr/0010-one-judge.md).
    """

    since: int
    before: int
    frontier: int
    told: Told
    first: int = 0


class Teller(Protocol):
    """The part of an engine that this needs."""

    def told(self, before: int, /) -> Told: ...
    def hear(self, told: Told, /) -> None: ...
    def said(self, passed: int, /) -> Said | None: ...
    def findings(self) -> list[Finding]: ...


class Exchange:
    """One partition's part in it. `heard[lane]`: the slot before which everything of another partition is known."""

    def __init__(
        self, lane: int, count: int, heard: dict[int, int], said: int, reports: dict[int, int], utc_offset: int
    ) -> None:
        self.lane, self.utc_offset = lane, utc_offset
        self.heard = {other: heard.get(other, 0) for other in range(count) if other != lane}
        self.silent: set[int] = set()  # whom we do not wait for until they speak again
        self.said = said  # the slot before which everything of our own was said
        self.reports = dict(reports)  # how many reports each partition made, ourselves included
        self.reported: list[str] = []  # ours that were not said yet
        self.to_apply: list[Turn] = []  # of others, in order
        self.taken: list[str] = []  # of others, which took effect as they had before and are not heard again yet
        self.found = 0  # the number of the finding to be heard next
        self.to_obey: list[Finding] = []  # what was found for all partitions, in order
        self.without: list[int] = []  # whom we stopped waiting for, which was not said yet
        self.frontier = 0  # the newest event that we said we have read
        self.spoke_at = -math.inf  # when (monotonic, s)
        self.newest = 0  # the newest event of any other
        self.newest_came = 0.0  # when that was heard (monotonic, s)

    @property
    def limit(self) -> int:
        """The time (µs) before which events may be applied."""
        return min(
            ((slot + LATER) * SLOT_US for lane, slot in self.heard.items() if lane not in self.silent), default=NEVER
        )

    def say(self, engine: Teller, clock: int, frontier: int, now: float) -> Statement | None:
        """What is new at a clock (µs), if anything; `now` (monotonic, s)."""
        reports, left = as_many(self.reported)
        # What was reported is known to the others before they come to where it has its turn.
        before = self.said if left else max(self.said, clock // SLOT_US)
        counted, findings = None if left else engine.said(clock), engine.findings()
        news = before > self.said or reports or counted or findings or self.without
        if not news and (frontier <= self.frontier or now - self.spoke_at < FRONTIER_SECONDS):
            return None
        first = self.reports.get(self.lane, 0)
        statement = Statement(
            lane=self.lane,
            since=self.said,
            before=before,
            frontier=frontier,
            told=engine.told(before),
            first=first,
            reports=reports,
            said=counted,
            findings=findings,
            without=self.without,
        )
        self.learn(findings)
        self.reports[self.lane], self.reported, self.without = first + len(reports), left, []
        self.said, self.frontier, self.spoke_at = before, max(self.frontier, frontier), now
        return statement

    def hear(self, engine: Teller, statement: Statement, came: float) -> None:
        """Another partition's statement; what was known of it already is left out."""
        self.learn(statement.findings)
        known = self.heard.get(statement.lane)
        if known is None:
            return
        if statement.lane not in self.silent and self._is_ahead(statement, known):
            return
        if statement.lane in self.silent:
            self.silent.discard(statement.lane)
            known = max(known, self.said - LATER + 1)  # what was before that has taken effect without them
        news = statement.reports[max(0, self.reports.get(statement.lane, 0) - statement.first) :]
        if news:
            self.to_apply = sorted([*self.to_apply, *in_turn(self._not_taken(news))])
            self.reports[statement.lane] = statement.first + len(statement.reports)
        if statement.frontier > self.newest:
            self.newest, self.newest_came = statement.frontier, came
        if statement.before <= known:
            return
        days = self._closed(known)
        slots = [one for one in statement.told.slots if one[0] >= known]
        engine.hear(Told(slots, [one for one in statement.told.days if one[0] > days]))
        self.heard[statement.lane] = statement.before

    def _is_ahead(self, statement: Statement, known: int) -> bool:
        """Whether something that was said before is still to come: without it, this would hide it for good."""
        return statement.since > known or statement.first > self.reports.get(statement.lane, 0)

    def _not_taken(self, news: Iterable[str]) -> list[str]:
        left = []
        for report in news:
            if report in self.taken:
                self.taken.remove(report)
            else:
                left.append(report)
        return left

    def took(self, reports: Iterable[str]) -> None:
        """They take effect, maybe before they are heard (again)."""
        for report in reports:
            waiting = next((one for one in self.to_apply if one[1] == report), None)
            if waiting is None:
                self.taken.append(report)
            else:
                self.to_apply.remove(waiting)

    def learn(self, findings: Iterable[Finding]) -> None:
        """What was found for all partitions, to be taken over in its turn; what is known already is left out."""
        for finding in findings:
            if finding.number >= self.found:
                self.to_obey.append(finding)
                self.found = finding.number + 1

    def obeyed(self, finding: Finding) -> None:
        """It was taken over, maybe before it was heard (again)."""
        self.to_obey = [one for one in self.to_obey if one.number > finding.number]
        self.found = max(self.found, finding.number + 1)

    def _closed(self, before: int) -> int:
        """The newest day that is counted to its end before a slot (as PeerGroups.told has it)."""
        return (before * SLOT_US - SLOT_US + self.utc_offset) // DAY_US - 1

    def missing(self) -> dict[int, int]:
        """The partitions that hold this one back the most, and up to which slot they are known."""
        waited_for = {lane: slot for lane, slot in self.heard.items() if lane not in self.silent}
        least = min(waited_for.values(), default=0)
        return {lane: slot for lane, slot in waited_for.items() if slot == least}

    def go_without(self, lanes: Iterable[int]) -> None:
        """Act as if these had nothing more to say, until they speak again: better that than to stand still."""
        lost = {*lanes} - self.silent
        self.silent |= lost
        self.without += sorted(lost)
