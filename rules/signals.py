"""An operator's own signals: codes of `customer.noted`, declared under `signals:` in churn.yaml, as features.

docs/rules.md says how they are declared; what customers' notes say is kept by customers/notes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from keyword import iskeyword
from typing import Annotated, Final, Literal

import numpy as np
from msgspec import Meta

from customers.notes import MOST_SIGNALS, Declared
from detectors.catalogue import Feature
from detectors.columns import Column, Columns
from events.contract import Cause
from events.hashing import hash64
from rules.documents import Document
from rules.durations import DAY, Duration
from rules.faults import Fault
from rules.feature_types import Schema
from rules.rulefile import Bilingual, Code, Strict

YES_NO: Final = "yes/no"
NOTE: Final = "note."
"""Before a signal's name: the column that holds what its note says, NaN where none holds."""
_WORDS: Final = ("params", "has")


class SignalEntry(Strict, frozen=True, kw_only=True):
    """One signal. `sayable`: whether an agent may say it aloud; not unless it is said here."""

    code: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    kind: Literal["yes/no", "number"]
    text: Bilingual
    causes: tuple[Cause, ...] = ()
    holds: Duration = Duration(30 * DAY)
    unit: str = ""
    sayable: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a signal that would never hold."""
        if self.holds <= 0:
            raise ValueError("`holds` must be longer than 0")


Signals = Mapping[Code, SignalEntry]


def signal_faults(document: Document, signals: Signals, schema: Schema) -> Iterator[Fault]:
    """Names and codes that are taken, causes that are none, more signals than are kept."""
    codes: dict[str, str] = {}
    for count, (name, entry) in enumerate(signals.items(), start=1):
        if name in schema:
            yield document.fault(("signals", name), f"`{name}` is a feature already", "duplicate-id", key=True)
        if iskeyword(name) or name in _WORDS:
            message = f"`{name}` means something in the condition language: name it otherwise"
            yield document.fault(("signals", name), message, "unknown-name", key=True)
        first = codes.setdefault(entry.code or name, name)
        if first != name:
            message = f"the code `{entry.code or name}` is that of `{first}` already"
            yield document.fault(("signals", name, "code"), message, "duplicate-id")
        for i, cause in enumerate(entry.causes):
            if cause == "unknown":
                yield document.fault(("signals", name, "causes", i), "`unknown` is no cause to speak for", "invalid")
        if count == MOST_SIGNALS + 1:
            message = f"more than {MOST_SIGNALS} signals"
            yield document.fault(("signals", name), message, "too-many", key=True)


def features_of(signals: Signals) -> tuple[Feature, ...]:
    """The signals as features, in the order declared."""
    return tuple(
        Feature(
            name,
            YES_NO if entry.kind == YES_NO else entry.unit,
            "until it ends",
            entry.text.en,
            entry.text.zh_cn,
            tuple(entry.causes),
            _yes_no(name) if entry.kind == YES_NO else _number(name),
            kind="bool" if entry.kind == YES_NO else "number",
            sayable=entry.sayable,
        )
        for name, entry in signals.items()
    )


def _number(name: str) -> Callable[[Columns], Column]:
    return lambda m: m[NOTE + name]


def _yes_no(name: str) -> Callable[[Columns], Column]:
    """What is not noted, or no longer, is not so."""
    return lambda m: np.where(np.isnan(m[NOTE + name]) | (m[NOTE + name] == 0.0), 0.0, 1.0)


def declared(signals: Signals) -> Declared:
    """The signals as the customers' state knows them."""
    return Declared(
        np.array([hash64(entry.code or name) for name, entry in signals.items()], np.uint64),
        np.array([entry.kind != YES_NO for entry in signals.values()], np.bool_),
        np.array([int(entry.holds) for entry in signals.values()], np.int64),
    )
