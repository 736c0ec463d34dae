"""Runs a traced program (`trace.py`) over rows, a block of `LANES` at a time, every value of a block near the processor.

A program is a list of instructions over registers of `LANES` numbers each: inputs, constants, and what is worked out, which
gives its register back after its last use. Each row is worked out by itself with the operations numpy would use, in the
same order, so results are numpy's to the last bit and no row depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.columns import Table
from detectors.trace import (
    ABS,
    ADD,
    AND,
    DIV,
    EQUAL,
    FINITE,
    FMAX,
    FMIN,
    INPUT,
    ISNAN,
    LESS,
    LESS_EQUAL,
    LOOKUP,
    MAX,
    MIN,
    MUL,
    NEG,
    NOT,
    NOT_EQUAL,
    OR,
    SUB,
    WHERE,
    Node,
    Trace,
)
from events.compiled import compiled

LANES = 128
"""Rows of a block."""
PAD = 8
"""Numbers between registers, so that a row's places in them do not share one set of the cache."""


class Code(NamedTuple):
    """Instructions i4[n, 5] (operation, result, three operands) with the tables they look things up in."""

    instructions: npt.NDArray[np.int32]
    tables: npt.NDArray[np.float64]  # one after another
    starts: npt.NDArray[np.int64]  # where each begins; one more than there are


class Program:
    """A trace made ready: two stretches of code over the same registers, with room for what comes between them.

    Nodes that `first` names are worked out in the first stretch, those of `second` in the second. `kept` are the registers of
    both, in order; they hold until the block is done. `inputs` is (register, place among the inputs) of every input used.
    """

    def __init__(self, trace: Trace, first: Sequence[Node], second: Sequence[Node]) -> None:
        nodes = needed(trace, [*first, *second])
        early = {node.number for node in needed(trace, first)}
        order = [node for node in nodes if node.number in early] + [node for node in nodes if node.number not in early]
        self._tables = list({id(node.table): node.table for node in nodes if node.table is not None}.values())
        registers = Registers(order, [*first, *second])
        self.instructions, self.split = registers.assemble(order, early, self._tables)
        self.first = np.array([registers.of[node.number] for node in first], np.int32)
        self.second = np.array([registers.of[node.number] for node in second], np.int32)
        used = [
            (registers.of[node.number], place) for place, node in trace.inputs.items() if node.number in registers.of
        ]
        self.inputs = np.array(used, np.int32).reshape(-1, 2)
        self.work = registers.work()
        self._joined: tuple[list[npt.NDArray[np.float64]], Code] | None = None

    def code(self) -> tuple[Code, Code]:
        """Both stretches, with the tables as they are now."""
        values = [table.values for table in self._tables]
        if self._joined is None or any(a is not b for a, b in zip(values, self._joined[0], strict=True)):
            starts = np.cumsum([0, *(len(one) for one in values)]).astype(np.int64)
            self._joined = values, Code(self.instructions, np.concatenate([np.zeros(0), *values]), starts)
        whole = self._joined[1]
        return (
            whole._replace(instructions=whole.instructions[: self.split]),
            whole._replace(instructions=whole.instructions[self.split :]),
        )


def needed(trace: Trace, results: Sequence[Node]) -> list[Node]:
    """The nodes that some results rest on, in order."""
    wanted = {node.number for node in results}
    for node in reversed(trace.nodes):
        if node.number in wanted:
            wanted.update(arg.number for arg in node.args if isinstance(arg, Node))
    return [node for node in trace.nodes if node.number in wanted]


class Registers:
    """Gives every node a register, and a register back after its last use."""

    def __init__(self, order: Sequence[Node], kept: Sequence[Node]) -> None:
        last = {node.number: len(order) for node in kept}
        for at, node in enumerate(order):
            for arg in node.args:
                if isinstance(arg, Node):
                    last[arg.number] = max(last.get(arg.number, 0), at)
        self.constants: dict[bytes, int] = {}
        self.of: dict[int, int] = {}
        self.count = 0
        for node in order:  # inputs are loaded before anything runs
            if node.op == INPUT:
                self.of[node.number] = self._new()
            for arg in node.args:
                if not isinstance(arg, Node) and np.float64(arg).tobytes() not in self.constants:
                    self.constants[np.float64(arg).tobytes()] = self._new()
        free: list[int] = []
        for at, node in enumerate(order):
            if node.op == INPUT:
                continue
            self.of[node.number] = free.pop() if free else self._new()
            free.extend({self.of[arg.number] for arg in node.args if isinstance(arg, Node) and last[arg.number] == at})

    def _new(self) -> int:
        self.count += 1
        return self.count - 1

    def register(self, arg: Node | float) -> int:
        """Where an operand is."""
        return self.of[arg.number] if isinstance(arg, Node) else self.constants[np.float64(arg).tobytes()]

    def assemble(
        self, order: Sequence[Node], early: set[int], tables: Sequence[Table]
    ) -> tuple[npt.NDArray[np.int32], int]:
        """The instructions, and how many belong to the first stretch."""
        places = {id(table): k for k, table in enumerate(tables)}
        lines, split = [], 0
        for node in order:
            if node.op == INPUT:
                continue
            operands = [self.register(arg) for arg in node.args]
            if node.table is not None:
                operands.append(places[id(node.table)])
            lines.append([node.op, self.of[node.number], *operands, *[0] * (3 - len(operands))])
            split += node.number in early
        return np.array(lines, np.int32).reshape(-1, 5), split

    def work(self) -> npt.NDArray[np.float64]:
        """Room for all registers, f8[register, LANES and a few], the constants filled in."""
        work = np.zeros((self.count, LANES + PAD))
        for value, register in self.constants.items():
            work[register] = np.frombuffer(value)[0]
        return work


@compiled
def execute(code: Code, work: npt.NDArray[np.float64]) -> None:  # noqa: C901, PLR0912 - one branch per operation
    """Run the instructions over the registers `work` (f8[register, LANES])."""
    for n in range(len(code.instructions)):
        op = code.instructions[n, 0]
        d, a = work[code.instructions[n, 1]], work[code.instructions[n, 2]]
        b = work[code.instructions[n, 3]]
        if op == ADD:
            for i in range(LANES):
                d[i] = a[i] + b[i]
        elif op == SUB:
            for i in range(LANES):
                d[i] = a[i] - b[i]
        elif op in (MUL, AND):
            for i in range(LANES):
                d[i] = a[i] * b[i]
        elif op == DIV:
            for i in range(LANES):
                d[i] = a[i] / b[i]
        elif op == MIN:
            for i in range(LANES):
                d[i] = a[i] if a[i] < b[i] or a[i] != a[i] else b[i]
        elif op == MAX:
            for i in range(LANES):
                d[i] = a[i] if a[i] > b[i] or a[i] != a[i] else b[i]
        elif op == FMIN:
            for i in range(LANES):
                d[i] = a[i] if a[i] <= b[i] or b[i] != b[i] else b[i]
        elif op in (FMAX, OR):
            for i in range(LANES):
                d[i] = a[i] if a[i] >= b[i] or b[i] != b[i] else b[i]
        elif op == LESS:
            for i in range(LANES):
                d[i] = 1.0 if a[i] < b[i] else 0.0
        elif op == LESS_EQUAL:
            for i in range(LANES):
                d[i] = 1.0 if a[i] <= b[i] else 0.0
        elif op == EQUAL:
            for i in range(LANES):
                d[i] = 1.0 if a[i] == b[i] else 0.0
        elif op == NOT_EQUAL:
            for i in range(LANES):
                d[i] = 1.0 if a[i] != b[i] else 0.0
        elif op == WHERE:
            c = work[code.instructions[n, 4]]
            for i in range(LANES):
                yes, no = b[i], c[i]  # both read whatever comes, or the loop is not vectorised
                d[i] = yes if a[i] != 0.0 else no
        elif op == ISNAN:
            for i in range(LANES):
                d[i] = 1.0 if a[i] != a[i] else 0.0
        elif op == FINITE:
            for i in range(LANES):
                d[i] = 1.0 if a[i] - a[i] == 0.0 else 0.0
        elif op == ABS:
            for i in range(LANES):
                d[i] = abs(a[i])
        elif op == NEG:
            for i in range(LANES):
                d[i] = -a[i]
        elif op == NOT:
            for i in range(LANES):
                d[i] = 1.0 - a[i]
        elif op == LOOKUP:
            start, end = code.starts[code.instructions[n, 3]], code.starts[code.instructions[n, 3] + 1]
            for i in range(LANES):
                place = a[i]
                d[i] = code.tables[start + np.int64(place)] if place >= 0.0 and place < end - start else np.nan
