"""One compiled pass from measures to what the rules need: features, the model's risk, conditions, as bits per rule.

A block of rows goes through all of it before the next is looked at, so nothing in between leaves the processor's cache.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from customers.measures import COUNT, MEASURE
from customers.notes import Source, note_value
from customers.partition import ROWS
from customers.rounds import Rows
from detectors.machine import LANES, Code, execute
from events.compiled import compiled
from events.memory import prefetch
from models.anomaly import Day, take
from models.halfspace import Room, Trees, block_unusual
from models.scoring import Arrays, Scratch, block_logits, probability

ATTRIBUTES_AT = COUNT
"""The place, among a program's inputs, of the first attribute; measures come before."""
NOTES_AT = 2**29
"""The place of the first of the operator's signals."""
RISK_AT = 2**30
"""The place of the risk, which is worked out between the stretches ..."""
ANOMALY_AT = RISK_AT + 1
"""... and that of the anomaly."""
NOW_AT = ANOMALY_AT + 1
"""The row's moment (µs UTC)."""
_OBJECTED, _STATUS = MEASURE["profiling_objected"], MEASURE["line_status"]
_LINE = 8  # numbers in a cache line
_PAD = 8  # keeps the matrix's columns off one another's cache sets


class Stage(NamedTuple):
    """A program as compiled code takes it: both stretches, registers, (register, place) of inputs, results' registers."""

    features: Code
    conditions: Code
    work: npt.NDArray[np.float64]
    inputs: npt.NDArray[np.int32]
    learned: npt.NDArray[np.int32]
    fires: npt.NDArray[np.int32]
    clears: npt.NDArray[np.int32]
    limits: npt.NDArray[np.int32]
    risk: int
    anomaly: int


class Verdict(NamedTuple):
    """What was found of each row. `matrix` f8[learned feature, row], of rows to freeze; bits of rules u8[row, words]."""

    matrix: npt.NDArray[np.float64]
    risk: npt.NDArray[np.float64]
    anomaly: npt.NDArray[np.float64]
    fire: npt.NDArray[np.uint64]
    clear: npt.NDArray[np.uint64]
    bound: npt.NDArray[np.bool_]  # a limit of the policy is in force
    asleep: npt.NDArray[np.bool_]  # the line is suspended or closed


def room(learned: int, words: int) -> Verdict:
    """Room for the rows of a round."""
    return Verdict(
        np.empty((learned, ROWS + _PAD))[:, :ROWS],
        np.empty(ROWS),
        np.empty(ROWS),
        np.zeros((ROWS, words), np.uint64),
        np.zeros((ROWS, words), np.uint64),
        np.zeros(ROWS, np.bool_),
        np.zeros(ROWS, np.bool_),
    )


@compiled(borrows=True)
def _load(
    rows: Rows,
    attributes: npt.NDArray[np.float32],
    notes: Source,
    at: int,
    lanes: int,
    inputs: npt.NDArray[np.int32],
    work: npt.NDArray[np.float64],
) -> None:
    for first in range(0, lanes, _LINE):  # a cache line's worth of rows at a time
        last = min(first + _LINE, lanes)
        for i in range(at + last, min(at + last + _LINE, len(rows.now))):  # the rows after these
            for place in range(0, ATTRIBUTES_AT, _LINE):
                prefetch(rows.measures, i * ATTRIBUTES_AT + place)
        for k in range(len(inputs)):
            register, place = inputs[k, 0], inputs[k, 1]
            if place < ATTRIBUTES_AT:
                for i in range(first, last):
                    work[register, i] = rows.measures[at + i, place]
            elif place < NOTES_AT:
                for i in range(first, last):
                    work[register, i] = attributes[rows.customer[at + i], place - ATTRIBUTES_AT]
            elif place == NOW_AT:
                for i in range(first, last):
                    work[register, i] = rows.now[at + i]
            elif place < RISK_AT:  # what comes from there on is worked out on the way
                for i in range(first, last):
                    r = notes.records[rows.customer[at + i]]
                    work[register, i] = note_value(r, notes.pools, notes.ref[place - NOTES_AT], rows.now[at + i])


@compiled
def _pack(
    work: npt.NDArray[np.float64], results: npt.NDArray[np.int32], bits: npt.NDArray[np.uint64], at: int, lanes: int
) -> None:
    words = np.empty(LANES, np.uint64)
    for w in range(bits.shape[1]):
        words[:] = 0
        for k in range(64 * w, min(64 * w + 64, len(results))):
            mask, bit = work[results[k]], np.uint64(1) << np.uint64(k - 64 * w)
            for i in range(LANES):
                words[i] |= bit if mask[i] != 0.0 else np.uint64(0)
        for i in range(lanes):
            bits[at + i, w] = words[i]


@compiled
def _unusual(rows: Rows, at: int, lanes: int, s: Stage, t: Trees, room: Room, day: Day, v: Verdict) -> None:
    """The anomaly of a block of rows, unknown where the line sleeps or profiling was objected to; sampled for learning."""
    block_unusual(s.work, 0, lanes, t, room)
    anomaly = s.work[s.anomaly]
    for i in range(lanes):
        if v.asleep[at + i] or rows.measures[at + i, _OBJECTED] == 1.0:
            room.told[i], room.rarity[i] = False, np.nan
        anomaly[i] = v.anomaly[at + i] = room.rarity[i]
    take(rows.customer, rows.now, at, lanes, room, day)


@compiled(nogil=True)
def judge(
    rows: Rows,
    count: int,
    attributes: npt.NDArray[np.float32],
    notes: Source,
    s: Stage,
    m: Arrays,
    calibration: tuple[float, float, float],
    speaking: bool,
    scratch: Scratch,
    t: Trees,
    unusual: Room,
    day: Day,
    v: Verdict,
) -> None:
    """Judge the first `count` rows; `m.columns` and `t.columns` are registers.

    `speaking` says whether the model has a risk to tell; what the anomaly detector may learn goes to `day`.
    """
    logits = np.empty((2, LANES))
    for at in range(0, count, LANES):
        lanes = min(LANES, count - at)
        _load(rows, attributes, notes, at, lanes, s.inputs, s.work)
        execute(s.features, s.work)
        for i in range(lanes):
            if rows.freeze[at + i]:
                for k in range(len(s.learned)):
                    v.matrix[k, at + i] = s.work[s.learned[k], i]
        if speaking:
            block_logits(s.work, 0, lanes, m, scratch, logits, 0)
        risk = s.work[s.risk]
        for i in range(lanes):
            told = speaking and rows.measures[at + i, _OBJECTED] != 1.0
            risk[i] = probability(logits[0, i], logits[1, i], *calibration) if told else np.nan
            v.risk[at + i] = risk[i]
            v.asleep[at + i] = rows.measures[at + i, _STATUS] > 0.0
        _unusual(rows, at, lanes, s, t, unusual, day, v)
        execute(s.conditions, s.work)
        _pack(s.work, s.fires, v.fire, at, lanes)
        _pack(s.work, s.clears, v.clear, at, lanes)
        for i in range(lanes):
            v.bound[at + i] = False
        for k in range(len(s.limits)):
            limit = s.work[s.limits[k]]
            for i in range(lanes):
                v.bound[at + i] |= limit[i] != 0.0


@compiled
def work_out(
    rows: Rows,
    first: int,
    count: int,
    attributes: npt.NDArray[np.float32],
    notes: Source,
    code: Code,
    work: npt.NDArray[np.float64],
    inputs: npt.NDArray[np.int32],
    results: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    """Work out a program for `count` rows from `first` on; the registers `results` go to `out` f8[result, row]."""
    for at in range(0, count, LANES):
        lanes = min(LANES, count - at)
        _load(rows, attributes, notes, first + at, lanes, inputs, work)
        execute(code, work)
        for k in range(len(results)):
            for i in range(lanes):
                out[k, at + i] = work[results[k], i]
