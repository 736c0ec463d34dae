"""What a report counts beside episodes: complaints, satisfaction, contacts, incidents, who came back; day by day.

Fed with the facts that were applied, so duplicates and refused events never count. A day is a local date, as days since
1970. Only counts are kept, without a text; of complaints also when each customer began to have an open one, which is what a
warning for every complaint would have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from events.codes import CAUSES, COMPLAINT_STATUS, Kind, words
from events.contract import CareOutcome, Survey
from rules.outcomes import EpisodeLog

DAY_US: Final = 86_400_000_000
WANTED: Final = np.zeros(256, np.bool_)
"""By kind: whether the ledger counts it."""
WANTED[
    [
        Kind.NETWORK_INCIDENT,
        Kind.COMPLAINT_OPENED,
        Kind.COMPLAINT_UPDATED,
        Kind.COMPLAINT_RESOLVED,
        Kind.SURVEY_ANSWERED,
        Kind.CUSTOMER_RETURNED,
        Kind.CARE_CONTACTED,
        Kind.CARE_RESOLVED,
    ]
] = True
SURVEYS: Final = words(Survey)
OUTCOMES: Final = words(CareOutcome)
LOWEST: Final = {"csat": 1.0, "nps": 0.0, "ces": 1.0}
"""Where each survey's scale begins; it ends at `scale_max`."""
_REOPENED: Final = COMPLAINT_STATUS["reopened"]
_YES: Final = 2  # of 0 not said, 1 no, 2 yes


class ComplaintCount(msgspec.Struct, frozen=True):
    """What complaints are counted by."""

    day: int
    cause: str
    region: str | None


class Sum(msgspec.Struct):
    """Answers and their sum."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        """One more."""
        self.count += 1
        self.total += value


class Ledger:
    """`utc_offset` (µs) makes local dates. `since` (µs) is when counting began, None before anything was seen."""

    def __init__(self, utc_offset: int) -> None:
        self.utc_offset = utc_offset
        self.since: int | None = None
        self.complaints: dict[ComplaintCount, int] = {}
        self.answers: dict[tuple[int, str], Sum] = {}  # by day and survey, see `_share` and `_promotes`
        self.care: dict[tuple[int, str], int] = {}  # by day and outcome; `contacted` is a contact
        self.faults: dict[int, int] = {}  # cells reported faulty, by day
        self.returned: list[tuple[int, int]] = []  # (customer, when)
        self.complained: list[tuple[int, int]] = []  # (customer, when the first of their open complaints counted)
        self.unsettled: dict[int, list[int]] = {}  # open complaints of a customer, by hash
        self.incidents: dict[str, dict[str, Any]] = {}  # the newest revision of each

    def began(self, at: int) -> None:
        """Counting starts, if it has not."""
        if self.since is None:
            self.since = at

    def facts(
        self, events: npt.NDArray[np.void], customers: npt.NDArray[np.int32], regions: Sequence[str | None]
    ) -> None:
        """Count applied events of the kinds that are `WANTED`; all three have shape (n,), regions as known then."""
        days = (events["at"] + self.utc_offset) // DAY_US
        columns = (events["kind"], days, events["at"], events["a"], events["b"], events["x"][:, 0], events["x"][:, 1])
        complaints = (events["clock"], events["ref"])
        rows = zip(*(column.tolist() for column in (*columns, *complaints)), customers.tolist(), regions, strict=True)
        for kind, day, at, a, b, x0, x1, clock, ref, customer, region in rows:
            if kind == Kind.COMPLAINT_OPENED or (kind == Kind.COMPLAINT_UPDATED and a == _REOPENED):
                self._waits(customer, clock, ref)
            elif kind == Kind.COMPLAINT_RESOLVED:
                self._settled(customer, ref)
            if kind == Kind.COMPLAINT_OPENED:
                key = ComplaintCount(day, CAUSES[b], region)
                self.complaints[key] = self.complaints.get(key, 0) + 1
            elif kind == Kind.COMPLAINT_RESOLVED and a:
                self._answered(day, "resolved", float(a == _YES))
            elif kind == Kind.SURVEY_ANSWERED:
                share = _share(SURVEYS[a], x0, x1)
                self._answered(day, SURVEYS[a], _promotes(share) if SURVEYS[a] == "nps" else share)
            elif kind == Kind.CUSTOMER_RETURNED:
                self.returned.append((customer, at))
            elif kind == Kind.CARE_CONTACTED:
                self._cared(day, "contacted")
            elif kind == Kind.CARE_RESOLVED:
                self._cared(day, OUTCOMES[a])
            elif kind == Kind.NETWORK_INCIDENT and a == 0:
                self.faults[day] = self.faults.get(day, 0) + 1

    def _waits(self, customer: int, clock: int, ref: int) -> None:
        refs = self.unsettled.setdefault(customer, [])
        if not refs:
            self.complained.append((customer, clock))
        if ref not in refs:
            refs.append(ref)

    def _settled(self, customer: int, ref: int) -> None:
        left = [one for one in self.unsettled.pop(customer, ()) if one != ref]
        if left:
            self.unsettled[customer] = left

    def _answered(self, day: int, survey: str, share: float) -> None:
        self.answers.setdefault((day, survey), Sum()).add(share)

    def _cared(self, day: int, outcome: str) -> None:
        self.care[day, outcome] = self.care.get((day, outcome), 0) + 1

    def warned_of(self, incidents: Iterable[Any]) -> None:
        """Incidents as they go out (contract, section 2); a later revision replaces the one before."""
        for one in incidents:
            plain = msgspec.to_builtins(one)
            self.incidents[plain["incident_id"]] = plain

    def snapshot(self) -> bytes:
        """JSON."""
        return msgspec.json.encode(
            [
                self.since,
                list(self.complaints.items()),
                list(self.answers.items()),
                list(self.care.items()),
                self.faults,
                self.returned,
                self.incidents,
                self.complained,
                self.unsettled,
            ]
        )

    def restore(self, raw: bytes) -> None:
        """Take over a snapshot; raises ValueError for one of another shape."""
        try:
            since, complaints, answers, care, faults, returned, incidents, complained, unsettled = msgspec.json.decode(
                raw, type=_Saved
            )
        except msgspec.ValidationError as error:
            raise ValueError(f"the report's counts: {error}") from error
        self.since, self.faults, self.returned, self.incidents = since, faults, returned, incidents
        self.complaints, self.answers, self.care = dict(complaints), dict(answers), dict(care)
        self.complained, self.unsettled = complained, unsettled


class History(NamedTuple):
    """All that a report needs: episodes and leavers, the ledger, when each customer was first seen (µs, 0 never), the clock."""

    log: EpisodeLog
    ledger: Ledger
    first_seen: npt.NDArray[np.int64]
    end: int
    horizon_days: int


_Saved = tuple[
    int | None,
    list[tuple[ComplaintCount, int]],
    list[tuple[tuple[int, str], Sum]],
    list[tuple[tuple[int, str], int]],
    dict[int, int],
    list[tuple[int, int]],
    dict[str, dict[str, Any]],
    list[tuple[int, int]],
    dict[int, list[int]],
]


def _share(survey: str, score: float, most: float) -> float:
    """A score on its scale, 0 worst to 1 best; scores beyond the scale count as its end."""
    low = LOWEST[survey]
    return min(1.0, max(0.0, (score - low) / (most - low))) if most > low else 0.0


def _promotes(share: float) -> float:
    """A net promoter answer: 9 and 10 of 10 are promoters (1), up to 6 detractors (−1)."""
    return 1.0 if share >= 0.9 else -1.0 if share <= 0.6 else 0.0
