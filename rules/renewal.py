"""Which rules a fresh fact makes ready to fire again.

Care ends an episode while its rules are still active: what they rest on is known and dealt with, so it must not open the
next episode. Such a rule is spent. A fact that comes after that is new: it makes idle again every spent rule that names
a feature told by it, directly or as evidence of a signal, and the rule then fires (or begins its `for`) like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.measures import MEASURE, Matrix
from customers.notes import STANDS
from detectors.registry import DETECTORS
from events.codes import Kind
from rules.bits import Words, words_of
from rules.ruleset import Rule
from rules.signals import Signals, declared

_SIGNAL: Final = "signal."
_SECOND: Final = 1.0 / 86_400  # ages are kept to the second


class Fresh(NamedTuple):
    """A kind of fact and the features it tells anew.

    It is fresh where `age` (a measure, in days) says that it took effect just now: one that repeats what is known, or is
    older than what stands, is not. Without an age `codes` are those of the event's `a` that count.
    """

    kind: Kind
    features: tuple[str, ...]
    age: str = ""
    codes: tuple[int, ...] = ()


_COMPLAINTS: Final = ("complaints_7d", "complaints_30d", "complaints_90d", "complaints_open", "complaint_open_days",
                      "complaint_severity_max", "complaint_cause", "days_since_complaint")  # fmt: skip
_AGAIN: Final = ("complaints_reopened_90d", "complaints_escalated", "complaint_severity_max", "days_since_regulator")
_CONTENT: Final = ("days_since_dissatisfied", "unsatisfied_90d", "satisfaction_90d", "survey_last", "survey_topic",
                   "complaint_satisfied")  # fmt: skip
FRESH: Final = (
    Fresh(Kind.PORTING_QUERIED, ("porting_queries_30d", "porting_queried_days"), "porting_queried"),
    Fresh(Kind.PORTING_REQUESTED, ("porting_requested_days", "porting_code_live"), "porting_requested"),
    Fresh(Kind.CANCELLATION_REQUESTED, ("cancellation_requested_days", "cancellation_cause"), "cancellation_requested"),
    Fresh(Kind.COMPLAINT_OPENED, _COMPLAINTS, "complaint"),
    Fresh(Kind.COMPLAINT_UPDATED, _AGAIN, codes=(1, 2, 3)),  # reopened, escalated, regulator
    Fresh(Kind.COMPLAINT_RESOLVED, _CONTENT, "dissatisfied"),
    Fresh(Kind.SURVEY_ANSWERED, _CONTENT, "dissatisfied"),
    Fresh(Kind.BILL_ISSUED, ("bill_vs_own", "bill_amount"), "bill"),
    Fresh(Kind.PLAN_CHANGED, ("days_since_price_rise", "fee_change"), "price_rise"),
)
_WANTED: Final = np.zeros(256, np.bool_)
_WANTED[[Kind.CUSTOMER_NOTED, *(one.kind for one in FRESH)]] = True


class Renewal:
    """The bits of the rules that each fact renews; a note of an operator's signal those that name the signal."""

    def __init__(self, rules: Sequence[Rule], signals: Signals) -> None:
        named = [_named(rule) for rule in rules]
        refs = declared(signals).ref.tolist()
        self._signals = {
            ref: words_of([name in names for names in named]) for ref, name in zip(refs, signals, strict=True)
        }
        self._bits = [words_of([not names.isdisjoint(one.features) for names in named]) for one in FRESH]

    def words(
        self,
        kinds: npt.NDArray[np.uint8],
        codes: npt.NDArray[np.uint8],
        refs: npt.NDArray[np.uint64],
        measures: Matrix,
    ) -> Words:
        """Per row the rules that its event renews, shape (rows, words).

        `kinds`, `codes` and `refs` are the event's kind, `a` and `ref`; `measures` has a line for each row.
        """
        found = np.zeros((len(kinds), len(self._bits[0])), np.uint64)
        rows = np.flatnonzero(_WANTED[kinds])
        if len(rows):
            for one, bits in zip(FRESH, self._bits, strict=True):
                mine = rows[kinds[rows] == one.kind]
                if len(mine):
                    found[mine[_just_now(one, mine, codes, measures)]] |= bits
            for row in rows[(kinds[rows] == Kind.CUSTOMER_NOTED) & (codes[rows] == STANDS)].tolist():
                found[row] |= self._signals[int(refs[row])]
        return found


def _just_now(
    one: Fresh, rows: npt.NDArray[np.int64], codes: npt.NDArray[np.uint8], measures: Matrix
) -> npt.NDArray[np.bool_]:
    if one.age:
        return np.asarray(measures[rows, MEASURE["days_since_" + one.age]] < _SECOND)
    return np.isin(codes[rows], one.codes)


def _named(rule: Rule) -> frozenset[str]:
    """The features that a rule's condition names, and those that its signals rest on."""
    signals = [name.removeprefix(_SIGNAL) for name in rule.expr.features if name.startswith(_SIGNAL)]
    return rule.expr.features.union(*(DETECTORS[name].features for name in signals))
