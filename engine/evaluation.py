"""From measures to what rules see: features, signals, risk; and a row as reasons see it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from customers.measures import MEASURE
from customers.partition import Partition
from customers.rounds import Rows
from detectors.columns import Column
from engine.definitions import Definitions
from engine.judging import Verdict, judge, room
from engine.model_inputs import LEARNED, model_inputs
from engine.row_views import Added, Names, RowView, Sheet, Who
from engine.surroundings import Surroundings
from engine.tracing import Beside, judging, notes_of
from models import anomaly, halfspace
from models.champion import Champion
from models.scoring import scratch
from population.holds import Holds
from population.market import Market
from rules.bits import words_of
from rules.load import Configuration
from rules.ruleset import Rule

_UNUSUAL: Final = np.array([[feature.name for feature in LEARNED].index(name) for name in anomaly.NAMES])


class Evaluation:
    """Works out, for the rows of a round, what the rules, the policy and the model need."""

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
        self._partition = partition
        self._model = model
        self._rules = rules
        self._shadow = shadow
        self._limits = [limit.condition for limit in configuration.policy.limits]
        self.definitions = Definitions(partition, configuration)
        self.surroundings = Surroundings(partition, holds, market)
        self.model_version = "none"
        self.attributes = -1  # how many attribute columns the model sees
        self._asked: dict[tuple[str, str], float] = {}
        self._rows: Rows | None = None
        self._room = halfspace.room(len(anomaly.NAMES))
        self._beside = Beside(self.definitions, partition)
        self.sync()
        self.show(0)

    def sync(self) -> None:
        """Take in plans and categories that are new."""
        self.definitions.sync()
        code = self.definitions.code
        if any(known != known and (now := code(*key)) == now for key, known in self._asked.items()):
            self._compile()

    def take_up(self, attributes: int) -> None:
        """Customers and model were restored: other plans and categories, and so many attribute columns."""
        self.definitions.sync()
        self.attributes = -1  # the model is another: it has to be told anew which there are
        self.show(attributes)

    def show(self, attributes: int) -> None:
        """Let the model see the first so many attribute columns."""
        if attributes != self.attributes:
            self.attributes = attributes
            columns = self._partition.profiles.attributes.columns
            names, categorical = model_inputs(
                {name: columns[name] for name in list(columns)[:attributes]}, self.definitions.signals
            )
            self._model.extend(names, categorical)
            self._compile()

    def _compile(self) -> None:
        """Trace features and conditions into a program."""
        traced = judging(self.definitions, self.attributes, self._rules, self._shadow, self._limits)
        self._program, self._stage, self._asked = traced.program, traced.stage, traced.asked
        self._verdict = room(traced.learned, len(words_of([False] * traced.conditions)))
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
        self.surroundings.tell(rows, count)
        features, conditions = self._program.code()
        calibration, self._rows = self._model.calibration, rows
        judge(
            rows,
            count,
            self._partition.customers.attributes,
            notes_of(self._partition),
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

    def freeze(self, rows: Rows, count: int) -> None:
        """Give the model the examples that are due among the rows that were judged."""
        due = np.flatnonzero(rows.freeze[:count])
        if len(due):
            due = due[rows.measures[due, MEASURE["profiling_objected"]] != 1]
            self._model.freeze(rows.customer[due].astype(np.int64), self._verdict.matrix[:, due], rows.now[due])

    def feature(self, name: str, rows: Rows, count: int) -> Column:
        """One feature, of those that rest on measures alone, for rows that need not have been judged."""
        column: Column = self._beside.columns((name,), rows, 0, count, np.nan)[0]
        return column

    def sheet(self, rows: Rows, row: int) -> Sheet:
        """One of the rows that were judged last, all columns."""
        values = self._beside.columns(self.definitions.shown, rows, row, 1, float(self._verdict.anomaly[row]))[:, 0]
        return Sheet(self.definitions, np.append(values, self._verdict.risk[row]))

    def who(self, names: Names, *, rows: bool = True) -> Who:
        """Customers by name, and the rows that were judged last as reasons see them."""
        judged = self._rows if rows else None
        return Who(names, None if judged is None else partial(self._view, judged))

    def _view(self, rows: Rows, row: int) -> RowView:
        sheet, incident_id = self.sheet(rows, row), self.surroundings.incident_id(rows, row)
        return RowView(
            self.definitions, sheet, incident_id, partial(self._contributions, sheet, int(rows.customer[row]))
        )

    def _contributions(self, sheet: Sheet, customer: int) -> Added:
        """The features by which the model raises a customer's risk most, `sheet` holding the one row."""
        if not self._model.speaking:
            return ()
        attributes = self._partition.customers.attributes[customer, : self.attributes]
        return self._model.reasons(np.concatenate((sheet.learned(), attributes), dtype=np.float64)[:, np.newaxis])[0]
