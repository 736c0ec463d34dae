"""Master data as field settings: texts become small numbers here, in order of arrival, before the compiled fold.

Every fact may name the account; profiles and plan changes set fields; an operator's undeclared attributes get a column
each, typed by their first value: number, yes/no, or category with its values numbered in order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from customers.ids import Ids
from customers.layout import LABELS, A, C, L, M
from customers.rounds import SET, SET_AGE, SET_ATTRIBUTE, SET_CODE, SET_LABEL, SET_MONEY
from customers.state import ATTRIBUTES_MOST
from events import contract
from events.columns import EVENT, Batch
from events.deadletters import RefusedError
from events.times import date_of

CATEGORY_MOST: Final = 32  # distinct values of one attribute; later ones share the last number
_REMEMBERED: Final = 4096
_NAN: Final = float("nan")
_NUMBER, _BOOL, _CATEGORY = "number", "bool", "category"
_KINDS: Final = {word: code for code, word in enumerate(("person", "family", "enterprise"))}
_PAY_MODES: Final = {word: code for code, word in enumerate(("prepaid", "postpaid"))}

Value = str | bool | float | None


class Setting(NamedTuple):
    """Field `place` of a block gets `value`; NaN clears it."""

    block: int
    place: int
    value: float


class Attributes:
    """The columns of undeclared attributes: name → (column, type), and the numbers of category values."""

    def __init__(self) -> None:
        self.columns: dict[str, tuple[int, str]] = {}
        self.values: dict[str, dict[str, int]] = {}

    def setting(self, name: str, value: Value) -> Setting | None:
        """What an attribute sets; None for one beyond the most, or of another type than its first value."""
        known = self.columns.get(name)
        if known is None:
            if value is None or len(self.columns) == ATTRIBUTES_MOST:
                return None
            known = self.columns[name] = (len(self.columns), _type_of(value))
        column, kind = known
        if value is None:
            return Setting(SET_ATTRIBUTE, column, _NAN)
        if _type_of(value) != kind:
            return None
        if isinstance(value, str):
            return Setting(SET_ATTRIBUTE, column, float(self._number(name, value)))
        return Setting(SET_ATTRIBUTE, column, float(value))

    def _number(self, name: str, value: str) -> int:
        values = self.values.setdefault(name, {})
        return values.setdefault(value, min(len(values), CATEGORY_MOST - 1))

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
        self.labels = {name: Ids() for name in LABELS}
        self.attributes = Attributes()
        self._known: dict[str, dict[str, int]] = {name: {} for name in LABELS}  # spares the way to the table

    def label(self, name: str, text: str | None) -> Setting:
        """A label field's setting."""
        if text is None:
            return Setting(SET_LABEL, L[name], _NAN)
        known = self._known[name]
        row = known.get(text)
        if row is None:
            row = self.labels[name].row(text)
            if len(known) < _REMEMBERED:
                known[text] = row
        return Setting(SET_LABEL, L[name], float(row))

    def of(self, fact: contract.Event) -> Iterator[Setting]:
        """The settings a fact brings."""
        if fact.account_id:
            yield self.label("account", fact.account_id)
        if isinstance(fact, contract.CustomerProfiled):
            yield from self._profile(fact)
        elif isinstance(fact, contract.PlanChanged):
            yield self.label("plan", fact.to_plan)
        elif isinstance(fact, contract.ContractSigned) and fact.plan:
            yield self.label("plan", fact.plan)

    def _profile(self, fact: contract.CustomerProfiled) -> Iterator[Setting]:
        for name in ("region", "segment", "plan", "age_band"):
            text = getattr(fact, name)
            if text is not UNSET:
                yield self.label(name, text)
        if fact.since is not UNSET:
            yield Setting(SET_AGE, A["since"], _NAN if fact.since is None else _date_second(fact.since))
        if fact.monthly_fee is not UNSET:
            yield Setting(SET_MONEY, M["monthly_fee"], _number(fact.monthly_fee))
        if fact.kind is not UNSET:
            yield Setting(SET_CODE, C["kind"], _NAN if fact.kind is None else float(_KINDS[fact.kind]))
        if fact.pay_mode is not UNSET:
            yield Setting(SET_CODE, C["pay_mode"], _NAN if fact.pay_mode is None else float(_PAY_MODES[fact.pay_mode]))
        if fact.products is not UNSET:
            yield Setting(SET_CODE, C["products"], _NAN if fact.products is None else float(len(fact.products)))
        if fact.profiling_objected is not UNSET:
            yield Setting(SET_CODE, C["profiling_objected"], float(bool(fact.profiling_objected)))
        if fact.do_not_contact is not UNSET:
            yield Setting(SET_CODE, C["do_not_contact"], float(fact.do_not_contact is True))
        if fact.attributes is not UNSET and fact.attributes is not None:
            for name, value in fact.attributes.items():
                setting = self.attributes.setting(name, value)
                if setting is not None:
                    yield setting

    def expand(self, batch: Batch, accounts: Mapping[int, str]) -> npt.NDArray[np.int64]:
        """Put every fact's settings before it, as events of the engine's own; `accounts`: those that usage names.

        `batch.events` and `batch.facts` are replaced. Returns, per event, its index in the batch as it came, −1 for
        settings.
        """
        at: list[int] = []
        settings: list[Setting] = []
        for index, fact in batch.facts.items():
            for setting in self.of(fact):
                at.append(index)
                settings.append(setting)
        for index, account in accounts.items():
            at.append(index)
            settings.append(self.label("account", account))
        came = np.arange(len(batch.events))
        if not at:
            return came
        order = np.argsort(np.array(at), kind="stable")
        where = np.array(at)[order]
        extra = batch.events[where].copy()
        extra["c"] = extra["kind"]
        extra["kind"] = SET
        extra["b"] = (np.array(at)[order][:, None] == np.array([*accounts], np.int64)).any(axis=1)
        extra["a"] = np.array([s.block for s in settings], np.uint8)[order]
        extra["ref"] = np.array([s.place for s in settings], np.uint64)[order]
        extra["x"][:, 0] = np.array([s.value for s in settings])[order]
        batch.events = np.insert(batch.events, where, extra).astype(EVENT, copy=False)
        moved = np.insert(came, where, -1)
        new_index = np.flatnonzero(moved >= 0)
        batch.facts = {int(new_index[index]): fact for index, fact in batch.facts.items()}
        return moved

    def snapshot(self) -> dict[str, npt.NDArray[np.generic] | bytes]:
        """Labels and attributes."""
        parts: dict[str, npt.NDArray[np.generic] | bytes] = {"attributes": self.attributes.snapshot()}
        for name, ids in self.labels.items():
            for part, array in ids.snapshot().items():
                parts[f"{name}.{part}"] = array
        return parts

    def restore(self, parts: dict[str, npt.NDArray[np.generic] | bytes]) -> None:
        """Take over a snapshot."""
        raw = parts["attributes"]
        self.attributes.restore(raw if isinstance(raw, bytes) else raw.tobytes())
        for name, ids in self.labels.items():
            ids.restore({part: parts[f"{name}.{part}"] for part in ("arena", "ends")})  # type: ignore[misc]  # arrays


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)


def _date_second(text: str) -> float:
    try:
        return date_of(text, "since") * 86_400.0
    except RefusedError:  # the decoder refuses such a profile; a fact that came otherwise clears
        return _NAN
