"""An engine that lets somebody look at every row it judges; looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from customers.measures import MEASURE
from customers.rounds import Rows
from detectors.columns import Column, Columns
from detectors.features.unusual import ANOMALY
from engine.engine import Engine
from engine.evaluation import Evaluation
from models.champion import Champion
from rules.columns import Sheet
from rules.leaves import NOW
from rules.ledger import Ledger
from rules.load import Configuration

_MEASURES: Final = tuple(MEASURE.items())


class RowColumns(Columns):
    """Features, signals and risk of the rows that were judged last, worked out by numpy when asked for."""

    def __init__(self, evaluation: Evaluation, rows: Rows, count: int) -> None:
        definitions = evaluation.definitions
        super().__init__(definitions.columns, definitions.params, count)
        self._evaluation = evaluation
        self._rows = rows
        self._noted = {signal.name for signal in definitions.signals}
        for name, k in _MEASURES:
            self.put("m." + name, rows.measures[:count, k])
        verdict = evaluation.verdict
        self.put(ANOMALY, verdict.anomaly[:count])
        self.put("risk", verdict.risk[:count])
        self.put(NOW, rows.now[:count].astype(np.float64))

    def __getitem__(self, name: str) -> Column:
        """A column; those of the operator's own signals come from the customers' notes."""
        if name in self._noted:
            self._noted.remove(name)
            self.put(name, self._evaluation.feature(name, self._rows, self.rows))
        return super().__getitem__(name)

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        return self._evaluation.definitions.code(name, text)


Look = Callable[[Engine, Rows, int, Sheet], None]
"""Is shown the engine, the rows and their columns, after they were decided on."""


class ObservedEngine(Engine):
    """`look` may keep nothing of the rows and columns: they are written over."""

    def __init__(self, configuration: Configuration, model: Champion, look: Look, ledger: Ledger | None = None) -> None:
        super().__init__(configuration, model, ledger)
        self._look = look
        self._deciding.look = self._show

    def _show(self, rows: Rows, count: int) -> None:
        with np.errstate(all="ignore"):
            self._look(self, rows, count, Sheet(RowColumns(self.evaluation, rows, count)))
