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
from events.compiled import compiled
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
_WANTED[[one.kind for one in FRESH]] = True
_NOTED: Final = int(Kind.CUSTOMER_NOTED)
_KINDS: Final = np.array([one.kind for one in FRESH], np.int64)
_AGES: Final = np.array([MEASURE["days_since_" + one.age] if one.age else -1 for one in FRESH], np.int64)
_CODES: Final = np.array([sum(1 << code for code in one.codes) for one in FRESH], np.int64)


class Renewal:
    """The bits of the rules that each fact renews; a note of an operator's signal those that name the signal."""

    def __init__(self, rules: Sequence[Rule], signals: Signals) -> None:
        named = [_named(rule) for rule in rules]
        refs = declared(signals).ref.tolist()
        self._signals = {
            ref: words_of([name in names for names in named]) for ref, name in zip(refs, signals, strict=True)
        }
        self._bits = np.array([words_of([not names.isdisjoint(one.features) for names in named]) for one in FRESH])

    def words(self, events: npt.NDArray[np.void], index: npt.NDArray[np.int64], measures: Matrix) -> Words:
        """Per row the rules that its event renews, shape (rows, words).

        `index` is the event of each row, −1 for none; `measures` has a line for each row.
        """
        found = np.zeros((len(index), self._bits.shape[1]), np.uint64)
        noted = _renew(events, index, measures, self._bits, found)
        if noted and self._signals:
            for row in np.flatnonzero(index >= 0).tolist():
                event = events[index[row]]
                if event["kind"] == Kind.CUSTOMER_NOTED and event["a"] == STANDS:
                    found[row] |= self._signals[int(event["ref"])]
        return found


@compiled
def _renew(
    events: npt.NDArray[np.void], index: npt.NDArray[np.int64], measures: Matrix, bits: Words, found: Words
) -> bool:
    noted = False
    for row in range(len(index)):
        if index[row] < 0:
            continue
        event = events[index[row]]
        noted |= event["kind"] == _NOTED
        if not _WANTED[event["kind"]]:
            continue
        for k in range(len(_KINDS)):
            if _KINDS[k] != event["kind"]:
                continue
            counts = (_CODES[k] >> min(event["a"], 63)) & 1 == 1
            fresh = measures[row, _AGES[k]] < _SECOND if _AGES[k] >= 0 else counts
            if fresh:
                for word in range(bits.shape[1]):
                    found[row, word] |= bits[k, word]
    return noted


def _named(rule: Rule) -> frozenset[str]:
    """The features that a rule's condition names, and those that its signals rest on."""
    signals = [name.removeprefix(_SIGNAL) for name in rule.expr.features if name.startswith(_SIGNAL)]
    return rule.expr.features.union(*(DETECTORS[name].features for name in signals))
