"""From measures to what rules see: features, signals, risk, categories as codes; and a row as reasons see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
import numpy as np
import numpy.typing as npt

from customers.layout import L
from customers.measures import MEASURE
from customers.notes import Source
from customers.partition import Partition
from customers.rounds import Rows
from detectors.catalogue import Feature
from detectors.columns import Column, Columns
from detectors.features import CATALOGUE, FEATURES
from detectors.features.unusual import ANOMALY
from detectors.machine import Program
from detectors.registry import DETECTORS
from detectors.trace import LESS, Node, Trace
from models import anomaly, halfspace
from models.champion import Champion
from models.scoring import scratch
from population.holds import Holds
from population.market import Market
from rules import columns as rule_columns
from rules.bits import words_of
from rules.expressions import Compiled
from rules.leaves import NOW
from rules.load import Configuration
from rules.plans import book_of
from rules.ruleset import Rule
from rules.signals import NOTE, features_of
from rules.views import View
from streams.judging import (
    ANOMALY_AT,
    ATTRIBUTES_AT,
    NOTES_AT,
    NOW_AT,
    RISK_AT,
    Stage,
    Verdict,
    judge,
    room,
    work_out,
)

LEARNED: Final = tuple(feature for feature in FEATURES if feature.learned)
CATEGORICAL: Final = tuple(feature.kind == "category" for feature in LEARNED)
ATTRIBUTE: Final = "attribute."
_UNUSUAL: Final = np.array([[feature.name for feature in LEARNED].index(name) for name in anomaly.NAMES])
_MEASURES: Final = tuple(("m." + name, k) for name, k in MEASURE.items())
SHOWN: Final = (*(feature.name for feature in FEATURES), *("signal." + name for name in DETECTORS))
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


def model_inputs(
    attributes: Mapping[str, tuple[int, str]], signals: Sequence[Feature] = ()
) -> tuple[list[str], list[bool]]:
    """Names and kinds of the rows of the model's matrix: learned features, signals, then attributes by column."""
    ordered = sorted(attributes.items(), key=lambda item: item[1][0])
    names = [feature.name for feature in (*LEARNED, *signals)] + [ATTRIBUTE + name for name, _ in ordered]
    return names, [*CATEGORICAL, *(False for _ in signals), *(kind == "category" for _, (_, kind) in ordered)]


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


class Sheet(Mapping[str, Column]):
    """The columns of one row: features, `signal.<detector>`, `risk`."""

    def __init__(self, evaluation: Evaluation, values: npt.NDArray[np.float64]) -> None:
        self._evaluation = evaluation
        self._values = values

    def __getitem__(self, name: str) -> Column:
        place = self._evaluation.place[name]
        return self._values[place : place + 1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._evaluation.place)

    def __len__(self) -> int:
        return len(self._evaluation.place)

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        return self._evaluation.code(name, text)


class TracedSheet(Columns):
    """The same columns as nodes of a trace. `asked` keeps the categories' codes that went into it."""

    def __init__(self, evaluation: Evaluation, trace: Trace) -> None:
        super().__init__(evaluation.columns, evaluation.params, 0)
        self._evaluation = evaluation
        self.asked: dict[tuple[str, str], float] = {}
        for name, k in _MEASURES:
            self.put(name, cast(Column, trace.input(k)))
        for k, signal in enumerate(evaluation.signals):
            self.put(NOTE + signal.name, cast(Column, trace.input(NOTES_AT + k)))
        self.put(ANOMALY, cast(Column, trace.input(ANOMALY_AT)))
        self.put(NOW, cast(Column, trace.input(NOW_AT)))

    def node(self, name: str) -> Node:
        """A column as the node it is."""
        return cast(Node, self[name])

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        self.asked[name, text] = self._evaluation.code(name, text)
        return self.asked[name, text]


class Evaluation:
    """Works out, for the rows of a round, what rules and model need; `conditions` are the rules' and the policy's."""

    def __init__(
        self,
        partition: Partition,
        model: Champion,
        configuration: Configuration,
        rules: Sequence[Rule],
        holds: Holds,
        market: Market,
        shadow: Sequence[Rule] = (),
    ) -> None:
        settings = configuration.settings
        self._plans = book_of(configuration.plans)
        self._partition = partition
        self._model = model
        self._rules = rules
        self._shadow = shadow
        self._holds = holds
        self._market = market
        self._limits = [limit.condition for limit in configuration.policy.limits]
        self.model_version = "none"
        self.params: dict[str, Any] = {
            **{name: msgspec.to_builtins(getattr(settings, name)) for name in _CLASSES},
            "plans": self._plans,
        }
        self.signals = features_of(settings.signals)
        self.features = {**CATALOGUE, **{feature.name: feature for feature in self.signals}}
        self._learned = (*LEARNED, *self.signals)
        self._shown = (*SHOWN, *(feature.name for feature in self.signals))
        self.place = {name: place for place, name in enumerate((*self._shown, "risk"))}
        self.columns: dict[str, Callable[[Columns], Column]] = {
            feature.name: feature.of for feature in self.features.values()
        }
        for name, detector in DETECTORS.items():
            self.columns["signal." + name] = _signal(name)
            self.params[name] = dict(detector.params)
        self.attributes = -1  # how many attribute columns the model sees
        self._asked: dict[tuple[str, str], float] = {}
        self._rows: Rows | None = None
        self._room = halfspace.room(len(anomaly.NAMES))
        self._programs: dict[tuple[str, ...], Program] = {}  # beside the one that judges, by what they work out
        self.sync()
        self.show(0)

    def sync(self) -> None:
        """Take in plans and categories that are new."""
        plans = self._partition.profiles.labels["plan"]
        self._plans.learn(plans.count, plans.text)
        if any(known != known and (now := self.code(*key)) == now for key, known in self._asked.items()):
            self._compile()

    def show(self, attributes: int) -> None:
        """Let the model see the first so many attribute columns."""
        if attributes != self.attributes:
            self.attributes = attributes
            columns = self._partition.profiles.attributes.columns
            names, categorical = model_inputs(
                {name: columns[name] for name in list(columns)[:attributes]}, self.signals
            )
            self._model.extend(names, categorical)
            self._compile()

    def _compile(self) -> None:
        """Trace features and conditions into a program."""
        trace = Trace()
        sheet = TracedSheet(self, trace)
        learned = [sheet.node(feature.name) for feature in self._learned]
        learned += [trace.input(ATTRIBUTES_AT + k) for k in range(self.attributes)]
        risk = trace.input(RISK_AT)
        sheet.put("risk", cast(Column, risk))
        shared = rule_columns.Sheet(sheet)
        never = trace.node(LESS, risk, risk)
        # Shadow rules begin with a word of bits of their own.
        aside = [never] * (-len(self._rules) % 64 or 64 * (not self._rules)) if self._shadow else []
        fires, clears = (
            [cast(Node, getattr(rule, what).evaluate(shared)) for rule in self._rules]
            + aside
            + [cast(Node, getattr(rule, what).evaluate(shared)) for rule in self._shadow]
            for what in ("fires", "clears")
        )
        masks = [*fires, *clears, *(cast(Node, condition.evaluate(shared)) for condition in self._limits)]
        judged = [risk, sheet.node(ANOMALY)]  # always there, whoever asks for them
        self._program = Program(trace, learned, [*judged, *masks])
        self._asked = sheet.asked
        count = len(fires)
        inputs = self._program.inputs
        features, conditions = self._program.code()
        told, firing, clearing, limits = np.split(self._program.second, [2, 2 + count, 2 + 2 * count])
        self._stage = Stage(
            features,
            conditions,
            self._program.work,
            inputs,
            self._program.first,
            firing,
            clearing,
            limits,
            int(told[0]),
            int(told[1]),
        )
        self._verdict = room(len(learned), len(words_of([False] * count)))
        self.model_changed()

    def model_changed(self) -> None:
        """The model was swapped."""
        model = self._model
        self.model_version = model.version if model.speaking or model.anomaly.speaking else "none"
        where = np.append(self._program.first.astype(np.int64), -1)
        self._arrays = model.scorer.compiled(where[model.columns[: model.scorer.features]])
        self._scratch = scratch(model.scorer.features)
        self._trees = model.anomaly.trees._replace(columns=where[_UNUSUAL])

    def judge(self, rows: Rows, count: int, *, learn: bool = True) -> Verdict:
        """What is to be known of the first `count` rows; valid until the next call. Only looking, nothing is learned."""
        self._tell_incidents(rows, count)
        self._tell_market(rows, count)
        features, conditions = self._program.code()
        calibration, self._rows = self._model.calibration, rows
        judge(
            rows,
            count,
            self._partition.customers.attributes,
            self._notes(),
            self._stage._replace(features=features, conditions=conditions),
            self._arrays,
            (calibration.linear, calibration.forest, calibration.bias),
            self._model.speaking,
            self._scratch,
            self._trees,
            self._room,
            self._model.anomaly.day if learn else anomaly.NOTHING,
            self._verdict,
        )
        return self._verdict

    @property
    def verdict(self) -> Verdict:
        """What was found of the rows that were judged last."""
        return self._verdict

    def apart(self, verdict: Verdict, count: int) -> tuple[Verdict, Verdict]:
        """What was found for live rules, and for shadow rules."""
        words = len(words_of([False] * len(self._rules)))
        live, shadow = slice(None, words), slice(words, None)
        return (
            verdict._replace(fire=verdict.fire[:count, live].copy(), clear=verdict.clear[:count, live].copy()),
            verdict._replace(fire=verdict.fire[:count, shadow].copy(), clear=verdict.clear[:count, shadow].copy()),
        )

    def _notes(self) -> Source:
        """Where programs find what the operator's signals say."""
        customers = self._partition.customers
        return Source(customers.records, customers.pools, self._partition.declared.ref)

    def _tell_incidents(self, rows: Rows, count: int) -> None:
        """Write what incidents there are of the rows' home cells beside the customers' own measures."""
        if self._holds:
            homes = rows.measures[:count, MEASURE["home_cell"]]
            some = self._holds.among(homes)  # the others have been measured as without an incident
            homes, now = homes[some], rows.now[some]
            rows.measures[some, MEASURE["incident_open"]] = self._holds.open(homes, now)
            rows.measures[some, MEASURE["days_since_incident"]] = self._holds.days_since(homes, now)
            rows.measures[some, MEASURE["incidents_30d"]] = self._holds.lately(homes, now)

    def _tell_market(self, rows: Rows, count: int) -> None:
        """Write what of the market concerns the rows' customers, likewise."""
        if self._market:
            labels = self._partition.profiles.labels
            self._market.tell(rows.measures[:count], rows.now[:count], labels["region"], labels["plan"])

    def explained(self, rows: Rows, count: int) -> npt.NDArray[np.bool_] | None:
        """In which rows an incident of the customer's cell explains use and network; None while there is none at all."""
        if not self._holds:
            return None
        homes, explained = rows.measures[:count, MEASURE["home_cell"]], np.zeros(count, np.bool_)
        some = self._holds.among(homes)
        explained[some] = self._holds.explained(homes[some], rows.now[some])
        return explained

    def incident_id(self, rows: Rows, row: int) -> str | None:
        """The incident that is open in a row's home cell."""
        return self._holds.incident_id(float(rows.measures[row, MEASURE["home_cell"]]), int(rows.now[row]))

    def freeze(self, rows: Rows, count: int) -> None:
        """Give the model the examples that are due among the rows that were judged."""
        due = np.flatnonzero(rows.freeze[:count])
        if len(due):
            due = due[rows.measures[due, MEASURE["profiling_objected"]] != 1]
            self._model.freeze(rows.customer[due].astype(np.int64), self._verdict.matrix[:, due], rows.now[due])

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        feature = self.features.get(name)
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
        feature = self.features[name]
        if name == "better_plan":
            return self._plans.names[int(code)]
        return feature.values[int(code)] if feature.values else self._partition.profiles.labels[name].text(int(code))

    def who(self, names: Names, *, rows: bool = True) -> Who:
        """Customers by name, and the rows that were judged last as reasons see them."""
        return Who(self, names, self._rows if rows else None)

    def feature(self, name: str, rows: Rows, count: int) -> Column:
        """One feature, of those that rest on measures alone, for rows that need not have been judged."""
        column: Column = self._worked_out((name,), rows, 0, count, np.nan)[0]
        return column

    def sheet(self, rows: Rows, row: int) -> Sheet:
        """One of the rows that were judged last, all columns."""
        values = self._worked_out(self._shown, rows, row, 1, float(self._verdict.anomaly[row]))[:, 0]
        return Sheet(self, np.append(values, self._verdict.risk[row]))

    def _worked_out(
        self, names: tuple[str, ...], rows: Rows, first: int, count: int, told: float
    ) -> npt.NDArray[np.float64]:
        """Columns f8[name, row] of `count` rows from `first` on, `told` being the anomaly; traced when first asked for."""
        program = self._programs.get(names)
        if program is None:
            trace = Trace()
            traced = TracedSheet(self, trace)
            program = self._programs[names] = Program(trace, [traced.node(name) for name in names], [])
        program.work[program.inputs[program.inputs[:, 1] == ANOMALY_AT, 0]] = told
        out = np.empty((len(names), count))
        attributes = self._partition.customers.attributes
        work_out(
            rows,
            first,
            count,
            attributes,
            self._notes(),
            program.code()[0],
            program.work,
            program.inputs,
            program.first,
            out,
        )
        return out

    def contributions(self, sheet: Sheet, customer: int) -> Sequence[tuple[str, float]]:
        """The features by which the model raises a customer's risk most, `sheet` holding the one row."""
        if not self._model.speaking:
            return ()
        learned = [sheet[feature.name][0] for feature in self._learned]
        values = np.append(learned, self._partition.customers.attributes[customer, : self.attributes])
        return self._model.reasons(values[:, np.newaxis])[0]


def _signal(name: str) -> Callable[[Columns], Column]:
    detector = DETECTORS[name]
    return lambda m: detector.strength(m, m.params[name])


class Who:
    """The names of customers, and views of the rows at hand."""

    def __init__(self, evaluation: Evaluation, names: Names, rows: Rows | None) -> None:
        self._evaluation = evaluation
        self._names = names
        self._rows = rows

    def customer_id(self, customer: int) -> str:
        """The id of a row of the state."""
        return self._names.customer_id(customer)

    def account_id(self, customer: int) -> str | None:
        """The account, where one is known."""
        return self._names.account_id(customer)

    def view(self, row: int | None) -> View | None:
        """A row as reasons see it; None where there is no row."""
        if row is None or self._rows is None:
            return None
        sheet = self._evaluation.sheet(self._rows, row)
        incident_id = self._evaluation.incident_id(self._rows, row)
        return RowView(self._evaluation, sheet, int(self._rows.customer[row]), incident_id)


class RowView:
    """One row."""

    def __init__(self, evaluation: Evaluation, sheet: Sheet, customer: int, incident_id: str | None) -> None:
        self._evaluation = evaluation
        self._sheet = sheet
        self._customer = customer
        self._incident_id = incident_id
        self._added: Sequence[tuple[str, float]] | None = None

    def value(self, feature: str) -> float | str | None:
        """A feature's value: number (NaN unknown), or a category's text."""
        if feature not in self._sheet:
            return None
        value = self._number(feature)
        known = self._evaluation.features.get(feature)
        if known is not None and known.kind == "category":
            return self._evaluation.text(feature, value)
        return value

    def _number(self, name: str) -> float:
        return float(self._sheet[name][0])

    def normal(self, feature: str) -> float | None:
        """What would be normal for this customer; None where there is no such thing."""
        normal = _NORMALS.get(feature)
        if isinstance(normal, str):
            value = self._number(normal)
            return None if value != value else float(f"{value:.6g}")
        return normal

    def incident_id(self) -> str | None:
        """The incident that is open in the customer's cell."""
        return self._incident_id

    def holds(self, condition: Compiled) -> bool:
        """Whether a condition is definitely true."""
        with np.errstate(all="ignore"):
            return bool(condition.evaluate(self._sheet)[0])

    def contributions(self) -> Sequence[tuple[str, float]]:
        """What the model adds, most first."""
        if self._added is None:
            self._added = self._evaluation.contributions(self._sheet, self._customer)
        return self._added
