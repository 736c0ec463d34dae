"""Master data as settings of fields: texts become small numbers here, in order of arrival, before the compiled fold.

Every fact may name the account; profiles and plan changes set fields; an operator's undeclared attributes get a column
each, typed by their first value: number, yes/no, or category with its values numbered in order of arrival.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from customers.ids import Ids
from customers.layout import TEXTS, A, C, L, M
from customers.rounds import SET_AGE, SET_ATTRIBUTE, SET_CODE, SET_LABEL, SET_MONEY, Settings
from customers.state import ATTRIBUTES_MOST
from events import contract
from events.deadletters import RefusedError
from events.times import date_of

CALLS: Final = frozenset(("call", "calls", "phone", "telephone", "voice", "电话", "致电"))
"""What channels are called that are the telephone."""
CATEGORY_MOST: Final = 32  # distinct values of one attribute; later ones share the last number
_REMEMBERED: Final = 4096
_NAN: Final = float("nan")
_NUMBER, _BOOL, _CATEGORY = "number", "bool", "category"
_KINDS: Final = {word: code for code, word in enumerate(("person", "family", "enterprise"))}
_PAY_MODES: Final = {word: code for code, word in enumerate(("prepaid", "postpaid"))}

Value = str | bool | float | None


class Collected:
    """Settings as they are found, event by event."""

    def __init__(self) -> None:
        self.events, self.blocks, self.places, self.values = array("q"), array("B"), array("i"), array("d")
        self.event = 0  # which one's settings come next

    def add(self, block: int, place: int, value: float) -> None:
        """Field `place` of a block gets `value`; NaN clears it."""
        self.events.append(self.event)
        self.blocks.append(block)
        self.places.append(place)
        self.values.append(value)

    def arrays(self, events: int, facts: int) -> Settings:
        """For a batch of so many events, the first `facts` settings those of facts; the others only fill."""
        at = np.frombuffer(self.events, np.int64) if self.events else np.zeros(0, np.int64)
        order = np.argsort(at, kind="stable")
        first = np.zeros(events + 1, np.int64)
        first[1:] = np.cumsum(np.bincount(at, minlength=events))
        return Settings(
            first,
            np.array(self.blocks, np.uint8)[order],
            np.array(self.places, np.int32)[order],
            np.array(self.values, np.float64)[order],
            order >= facts,
        )


class Attributes:
    """The columns of undeclared attributes: name → (column, type), and the numbers of category values."""

    def __init__(self) -> None:
        self.columns: dict[str, tuple[int, str]] = {}
        self.values: dict[str, dict[str, int]] = {}

    def collect(self, name: str, value: Value, into: Collected) -> None:
        """What an attribute sets; nothing for one beyond the most, or of another type than its first value."""
        known = self.columns.get(name)
        if known is None:
            if value is None or len(self.columns) == ATTRIBUTES_MOST:
                return
            known = self.columns[name] = (len(self.columns), _type_of(value))
        column, kind = known
        if value is None:
            into.add(SET_ATTRIBUTE, column, _NAN)
        elif _type_of(value) == kind:
            number = self._number(name, value) if isinstance(value, str) else value
            into.add(SET_ATTRIBUTE, column, float(number))

    def _number(self, name: str, value: str) -> int:
        values = self.values.setdefault(name, {})
        if len(values) >= CATEGORY_MOST:  # later ones need no entry: what is not there has the last number
            return values.get(value, CATEGORY_MOST - 1)
        return values.setdefault(value, len(values))

    def snapshot(self) -> bytes:
        """JSON of the columns and values."""
        return msgspec.json.encode([self.columns, self.values])

    def restore(self, raw: bytes) -> None:
        """Take over a snapshot."""
        self.columns, self.values = msgspec.json.decode(
            raw, type=tuple[dict[str, tuple[int, str]], dict[str, dict[str, int]]]
        )


def _type_of(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return _BOOL
    return _CATEGORY if isinstance(value, str) else _NUMBER


class Profiles:
    """Turns facts into settings; owns the texts of the label fields and the attributes."""

    def __init__(self) -> None:
        self.labels = {name: Ids() for name in TEXTS}
        self.attributes = Attributes()
        self._known: dict[str, dict[str, int]] = {name: {} for name in TEXTS}  # spares the way to the table

    def number(self, name: str, text: str | None) -> float:
        """The number of a label's text, a new one if need be; NaN for none."""
        if text is None:
            return _NAN
        known = self._known[name]
        row = known.get(text)
        if row is None:
            row = self.labels[name].row(text)
            if len(known) < _REMEMBERED:
                known[text] = row
        return float(row)

    def collect(self, facts: Mapping[int, contract.Event], accounts: Mapping[int, str], events: int) -> Settings:
        """What the facts of a batch of so many events set; `accounts`: those that usage names, which only fill."""
        found, account = Collected(), L["account"]
        for found.event, fact in facts.items():
            if fact.account_id:
                found.add(SET_LABEL, account, self.number("account", fact.account_id))
            if isinstance(fact, contract.CustomerProfiled):
                self._profile(fact, found)
            elif isinstance(fact, contract.PlanChanged):
                found.add(SET_LABEL, L["plan"], self.number("plan", fact.to_plan))
            elif isinstance(fact, contract.ContractSigned) and fact.plan:
                found.add(SET_LABEL, L["plan"], self.number("plan", fact.plan))
        of_facts = len(found.events)
        for found.event, name in accounts.items():
            found.add(SET_LABEL, account, self.number("account", name))
        return found.arrays(events, of_facts)

    def _profile(self, fact: contract.CustomerProfiled, found: Collected) -> None:
        for name, text in (
            ("region", fact.region),
            ("segment", fact.segment),
            ("plan", fact.plan),
            ("age_band", fact.age_band),
        ):
            if text is not UNSET:
                found.add(SET_LABEL, L[name], self.number(name, text))
        if fact.since is not UNSET:
            found.add(SET_AGE, A["since"], _NAN if fact.since is None else _date_second(fact.since))
        if fact.monthly_fee is not UNSET:
            found.add(SET_MONEY, M["monthly_fee"], _NAN if fact.monthly_fee is None else float(fact.monthly_fee))
        if fact.kind is not UNSET:
            found.add(SET_CODE, C["kind"], _NAN if fact.kind is None else float(_KINDS[fact.kind]))
        if fact.pay_mode is not UNSET:
            found.add(SET_CODE, C["pay_mode"], _NAN if fact.pay_mode is None else float(_PAY_MODES[fact.pay_mode]))
        if fact.products is not UNSET:
            found.add(SET_CODE, C["products"], _NAN if fact.products is None else float(len(fact.products)))
        if fact.profiling_objected is not UNSET:
            found.add(SET_CODE, C["profiling_objected"], float(bool(fact.profiling_objected)))
        if fact.do_not_contact is not UNSET:
            found.add(SET_CODE, C["do_not_contact"], _left_alone(fact.do_not_contact))
        if fact.attributes is not UNSET and fact.attributes is not None:
            for attribute, value in fact.attributes.items():
                self.attributes.collect(attribute, value, found)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic] | bytes]:
        """Labels and attributes."""
        parts: dict[str, npt.NDArray[np.generic] | bytes] = {"attributes": self.attributes.snapshot()}
        for name, ids in self.labels.items():
            for part, values in ids.snapshot().items():
                parts[f"{name}.{part}"] = values
        return parts

    def restore(self, parts: dict[str, npt.NDArray[np.generic] | bytes]) -> None:
        """Take over a snapshot."""
        raw = parts["attributes"]
        self.attributes.restore(raw if isinstance(raw, bytes) else raw.tobytes())
        for name, ids in self.labels.items():
            ids.restore({part: parts[f"{name}.{part}"] for part in ("arena", "ends")})  # type: ignore[misc]  # arrays


def _left_alone(wish: bool | list[str] | None) -> float:
    """0 not at all, 1 on every channel, 2 by telephone (among others, perhaps): the channel by which care acts."""
    if isinstance(wish, list):
        return 2.0 if any(channel.strip().casefold() in CALLS for channel in wish) else 0.0
    return float(wish is True)


def _date_second(text: str) -> float:
    try:
        return date_of(text, "since") * 86_400.0
    except RefusedError:  # the decoder refuses such a profile; a fact that came otherwise clears
        return _NAN
