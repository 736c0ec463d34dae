"""From measures to what rules see: features, signals, risk, categories as codes; and a row as reasons see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from customers.layout import L
from customers.measures import MEASURE
from customers.partition import ROWS, Partition
from customers.rounds import Rows
from detectors.columns import Column, Columns
from detectors.features import CATALOGUE, FEATURES
from detectors.registry import DETECTORS
from models.champion import Champion
from rules.expressions import Compiled
from rules.load import Configuration
from rules.plans import book_of
from rules.views import View

LEARNED: Final = tuple(feature for feature in FEATURES if feature.learned)
CATEGORICAL: Final = tuple(feature.kind == "category" for feature in LEARNED)
ATTRIBUTE: Final = "attribute."
_PAD: Final = 8
_MEASURES: Final = tuple(("m." + name, k) for name, k in MEASURE.items())
_LABELS: Final = tuple(feature.name for feature in FEATURES if feature.kind == "category" and not feature.values)
_CLASSES: Final = ("value_class", "lifecycle", "needs", "loyalty", "rfm", "clv")  # settings that features take
# Which own normal stands beside a feature in a reason.
_NORMALS: Final[dict[str, str | float]] = {
    **{feature.name: 1.0 for feature in FEATURES if feature.unit == "ratio" and feature.name.endswith("_own")},
    "silence_ratio": 1.0,
    "usage_index": 1.0,
    "bill_amount": "bill_normal",
    "days_since_use": "rhythm_days",
    "silent_days": "rhythm_days",
}


def model_inputs(attributes: Mapping[str, tuple[int, str]]) -> tuple[list[str], list[bool]]:
    """Names and kinds of the rows of the model's matrix: learned features, then attributes by column."""
    ordered = sorted(attributes.items(), key=lambda item: item[1][0])
    names = [feature.name for feature in LEARNED] + [ATTRIBUTE + name for name, _ in ordered]
    return names, [*CATEGORICAL, *(kind == "category" for _, (_, kind) in ordered)]


class Names:
    """Ids of customers and accounts of a partition."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        return self._partition.ids.text(customer)

    def account_id(self, customer: int) -> str | None:
        """The account, where one is known."""
        account = int(self._partition.customers.records["labels"][customer, L["account"]])
        return None if account < 0 else self._partition.profiles.labels["account"].text(account)


class Sheet(Columns):
    """The columns of some rows: measures as `m.<name>`, features, `signal.<detector>`, `risk`."""

    def __init__(self, evaluation: Evaluation, rows: Rows, count: int) -> None:
        super().__init__(evaluation.columns, evaluation.params, count)
        self._evaluation = evaluation
        for name, k in _MEASURES:
            self.put(name, rows.measures[k, :count])

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        return self._evaluation.code(name, text)


class Evaluation:
    """Works out the columns of rows; holds the matrix that the model scores."""

    def __init__(self, partition: Partition, model: Champion, configuration: Configuration) -> None:
        settings = configuration.settings
        self._plans = book_of(configuration.plans)
        self._partition = partition
        self._model = model
        self.model_version = model.version if model.speaking else "none"
        self.params: dict[str, Any] = {
            **{name: msgspec.to_builtins(getattr(settings, name)) for name in _CLASSES},
            "plans": self._plans,
        }
        self.columns: dict[str, Callable[[Columns], Column]] = {feature.name: feature.of for feature in FEATURES}
        for name, detector in DETECTORS.items():
            self.columns["signal." + name] = _signal(name)
            self.params[name] = dict(detector.params)
        self.attributes = -1  # how many attribute columns the model sees
        self._matrix = np.empty((0, ROWS + _PAD))
        self._sheet: Sheet | None = None
        self.sync()
        self.show(0)

    def sync(self) -> None:
        """Take in plans that are new."""
        plans = self._partition.profiles.labels["plan"]
        self._plans.learn(plans.count, plans.text)

    def show(self, attributes: int) -> None:
        """Let the model see the first so many attribute columns."""
        if attributes != self.attributes:
            self.attributes = attributes
            columns = self._partition.profiles.attributes.columns
            names, categorical = model_inputs({name: columns[name] for name in list(columns)[:attributes]})
            self._model.extend(names, categorical)
            self._matrix = np.empty((len(names), ROWS + _PAD))

    def model_changed(self) -> None:
        """The model was swapped."""
        self.model_version = self._model.version if self._model.speaking else "none"

    def sheet(self, rows: Rows, count: int) -> Sheet:
        """All columns of the first `count` rows; valid until the next call."""
        with np.errstate(all="ignore"):
            sheet = self._sheet = Sheet(self, rows, count)
            matrix = self._matrix[:, :count]
            for k, feature in enumerate(LEARNED):
                matrix[k] = sheet[feature.name]
            if self.attributes:
                matrix[len(LEARNED) :] = self._partition.customers.attributes[
                    rows.customer[:count], : self.attributes
                ].T
            risk = self._model.score(matrix)
            objected = rows.measures[MEASURE["profiling_objected"], :count] == 1
            sheet.put("risk", np.where(objected, np.nan, risk))
            for name in DETECTORS:
                sheet["signal." + name]
        return sheet

    def freeze(self, rows: Rows, count: int) -> None:
        """Give the model the examples that are due among the rows."""
        due = np.flatnonzero(rows.freeze[:count])
        if len(due):
            objected = rows.measures[MEASURE["profiling_objected"], due] == 1
            due = due[~objected]
            self._model.freeze(rows.customer[due].astype(np.int64), self._matrix[:, due], rows.now[due])

    def asleep(self, rows: Rows, count: int) -> npt.NDArray[np.bool_]:
        """In which rows the line is suspended or closed."""
        return np.asarray(rows.measures[MEASURE["line_status"], :count] > 0)

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        feature = CATALOGUE.get(name)
        if feature is not None and feature.values:
            return float(feature.values.index(text)) if text in feature.values else np.nan
        if name == "better_plan":
            return float(self._plans.names.index(text)) if text in self._plans.names else np.nan
        row = self._partition.profiles.labels[name].find(text) if name in _LABELS else None
        return np.nan if row is None else float(row)

    def text(self, name: str, code: float) -> str | None:
        """The text of a category's code."""
        if code != code:
            return None
        feature = CATALOGUE[name]
        if name == "better_plan":
            return self._plans.names[int(code)]
        return feature.values[int(code)] if feature.values else self._partition.profiles.labels[name].text(int(code))

    def who(self, names: Names, *, rows: bool = True) -> Who:
        """Customers by name, and rows as reasons see them."""
        return Who(self, names, self._sheet if rows else None)

    def contributions(self, row: int) -> Sequence[tuple[str, float]]:
        """The features by which the model raises the risk of a row most."""
        return self._model.reasons(self._matrix[:, row : row + 1])[0] if self._model.speaking else ()


def _signal(name: str) -> Callable[[Columns], Column]:
    detector = DETECTORS[name]
    return lambda m: detector.strength(m, m.params[name])


class Who:
    """The names of customers, and views of the rows at hand."""

    def __init__(self, evaluation: Evaluation, names: Names, sheet: Sheet | None) -> None:
        self._evaluation = evaluation
        self._names = names
        self._sheet = sheet

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        return self._names.customer_id(customer)

    def account_id(self, customer: int) -> str | None:
        """The account, where one is known."""
        return self._names.account_id(customer)

    def view(self, row: int | None) -> View | None:
        """A row as reasons see it; None where there is no row."""
        return None if row is None or self._sheet is None else RowView(self._evaluation, self._sheet, row)


class RowView:
    """One row."""

    def __init__(self, evaluation: Evaluation, sheet: Sheet, row: int) -> None:
        self._evaluation = evaluation
        self._sheet = sheet
        self._row = row
        self._added: Sequence[tuple[str, float]] | None = None

    def value(self, feature: str) -> float | str | None:
        """A feature's value: number (NaN unknown), or a category's text."""
        if feature not in self._sheet:
            return None
        value = float(self._sheet[feature][self._row])
        known = CATALOGUE.get(feature)
        if known is not None and known.kind == "category":
            return self._evaluation.text(feature, value)
        return value

    def normal(self, feature: str) -> float | None:
        """What would be normal for this customer; None where there is no such thing."""
        normal = _NORMALS.get(feature)
        if isinstance(normal, str):
            value = float(self._sheet[normal][self._row])
            return None if value != value else float(f"{value:.6g}")
        return normal

    def holds(self, condition: Compiled) -> bool:
        """Whether a condition is definitely true."""
        with np.errstate(all="ignore"):
            return bool(condition.evaluate(self._sheet)[self._row])

    def contributions(self) -> Sequence[tuple[str, float]]:
        """What the model adds, most first."""
        if self._added is None:
            self._added = self._evaluation.contributions(self._row)
        return self._added
