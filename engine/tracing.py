"""Features and conditions traced into programs: the one that judges every row, and others for what is asked for beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from customers.measures import MEASURE
from customers.notes import Source
from customers.partition import Partition
from customers.rounds import Rows
from detectors.columns import Column, Columns
from detectors.features.unusual import ANOMALY
from detectors.machine import Program
from detectors.trace import LESS, Node, Trace
from engine.definitions import Definitions
from engine.judging import ANOMALY_AT, ATTRIBUTES_AT, NOTES_AT, NOW_AT, RISK_AT, Stage, work_out
from rules import columns as rule_columns
from rules.expressions import Compiled
from rules.leaves import NOW
from rules.ruleset import Rule
from rules.signals import NOTE

_MEASURES: Final = tuple(("m." + name, k) for name, k in MEASURE.items())


class TracedSheet(Columns):
    """All columns as nodes of a trace. `asked` keeps the categories' codes that went into it."""

    def __init__(self, definitions: Definitions, trace: Trace) -> None:
        super().__init__(definitions.columns, definitions.params, 0)
        self._definitions = definitions
        self.asked: dict[tuple[str, str], float] = {}
        for name, k in _MEASURES:
            self.put(name, cast(Column, trace.input(k)))
        for k, signal in enumerate(definitions.signals):
            self.put(NOTE + signal.name, cast(Column, trace.input(NOTES_AT + k)))
        self.put(ANOMALY, cast(Column, trace.input(ANOMALY_AT)))
        self.put(NOW, cast(Column, trace.input(NOW_AT)))

    def node(self, name: str) -> Node:
        """A column as the node it is."""
        return cast(Node, self[name])

    def code(self, name: str, text: str) -> float:
        """The code of a category's text; NaN for one never seen."""
        self.asked[name, text] = self._definitions.code(name, text)
        return self.asked[name, text]


class Judging(NamedTuple):
    """The program that judges: `learned` rows of the model's matrix, `conditions` that may fire, and the codes that it asked for."""

    program: Program
    stage: Stage
    learned: int
    conditions: int
    asked: dict[tuple[str, str], float]


def judging(
    definitions: Definitions,
    attributes: int,
    rules: Sequence[Rule],
    shadow: Sequence[Rule],
    limits: Sequence[Compiled],
) -> Judging:
    """Trace what rules (live, then shadow), the policy's limits and the model need; of attributes the first so many columns."""
    trace = Trace()
    sheet = TracedSheet(definitions, trace)
    learned = [sheet.node(feature.name) for feature in definitions.learned]
    learned += [trace.input(ATTRIBUTES_AT + k) for k in range(attributes)]
    risk = trace.input(RISK_AT)
    sheet.put("risk", cast(Column, risk))
    shared = rule_columns.Sheet(sheet)
    never = trace.node(LESS, risk, risk)
    # Shadow rules begin with a word of bits of their own.
    aside = [never] * (-len(rules) % 64 or 64 * (not rules)) if shadow else []
    fires, clears = (
        [cast(Node, getattr(rule, what).evaluate(shared)) for rule in rules]
        + aside
        + [cast(Node, getattr(rule, what).evaluate(shared)) for rule in shadow]
        for what in ("fires", "clears")
    )
    masks = [*fires, *clears, *(cast(Node, condition.evaluate(shared)) for condition in limits)]
    judged = [risk, sheet.node(ANOMALY)]  # always there, whoever asks for them
    program = Program(trace, learned, [*judged, *masks])
    return Judging(program, _stage(program, len(fires)), len(learned), len(fires), sheet.asked)


def _stage(program: Program, count: int) -> Stage:
    """The program as compiled code takes it, with so many conditions that fire."""
    features, conditions = program.code()
    told, firing, clearing, limits = np.split(program.second, [2, 2 + count, 2 + 2 * count])
    return Stage(
        features,
        conditions,
        program.work,
        program.inputs,
        program.first,
        firing,
        clearing,
        limits,
        int(told[0]),
        int(told[1]),
    )


class Beside:
    """Columns that are worked out when somebody asks for them, by programs of their own."""

    def __init__(self, definitions: Definitions, partition: Partition) -> None:
        self._definitions = definitions
        self._partition = partition
        self._programs: dict[tuple[str, ...], Program] = {}  # by what they work out

    def columns(
        self, names: tuple[str, ...], rows: Rows, first: int, count: int, told: float
    ) -> npt.NDArray[np.float64]:
        """Columns f8[name, row] of `count` rows from `first` on, `told` being the anomaly; traced when first asked for."""
        program = self._programs.get(names)
        if program is None:
            trace = Trace()
            traced = TracedSheet(self._definitions, trace)
            program = self._programs[names] = Program(trace, [traced.node(name) for name in names], [])
        program.work[program.inputs[program.inputs[:, 1] == ANOMALY_AT, 0]] = told
        out = np.empty((len(names), count))
        work_out(
            rows,
            first,
            count,
            self._partition.customers.attributes,
            notes_of(self._partition),
            program.code()[0],
            program.work,
            program.inputs,
            program.first,
            out,
        )
        return out


def notes_of(partition: Partition) -> Source:
    """Where programs find what the operator's signals say."""
    customers = partition.customers
    return Source(customers.records, customers.pools, partition.declared.ref)
