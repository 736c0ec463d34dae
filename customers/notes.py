"""An operator's own signals (`customer.noted`): of each declared code the newest note, and until when it holds.

Kept are notes of declared codes alone, one record each in a pool, so that a customer without any costs nothing. A note that
is over stays until nothing older can come any more: a late older one must not take its place.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.layout import H, S
from customers.linked import find, link, take, unlink
from customers.stands import is_newest, older, time_of, version_of
from customers.state import Block, Pools
from events.compiled import compiled

MOST_SIGNALS: Final = 16
"""So many codes may be declared: as many as a customer's list holds (linked.MOST)."""
TEXT_VALUE: Final = 1  # in `a` of the event: its value is a text, which no signal has
STANDS: Final = 2  # in `a`, from then on: the note is its code's newest

_NOTES, _PERSON = H["notes"], S["person"]


class Declared(NamedTuple):
    """The codes that are signals: hash of the code, whether it needs a number, how long it holds without an end (µs)."""

    ref: npt.NDArray[np.uint64]
    number: npt.NDArray[np.bool_]
    holds: npt.NDArray[np.int64]


NO_SIGNALS: Final = Declared(np.zeros(0, np.uint64), np.zeros(0, np.bool_), np.zeros(0, np.int64))


class Source(NamedTuple):
    """Where programs read notes from: the customers' records, the pools, and the codes by place."""

    records: Block
    pools: Pools
    ref: npt.NDArray[np.uint64]


@compiled
def signal_of(d: Declared, ref: np.uint64) -> int:
    """The place of a code among the declared ones, −1 for none."""
    for k in range(len(d.ref)):
        if d.ref[k] == ref:
            return k
    return -1


@compiled
def _forget(r: np.void, p: Pools, d: Declared, before: int, now: int) -> None:
    """Drop notes of codes that are declared no more, and those that are over and older than anything that may come."""
    j = int(r["heads"][_NOTES])
    while j >= 0:
        one, after = p.notes[j], int(p.notes[j]["next"])
        if signal_of(d, one["ref"]) < 0 or (one["ends"] <= now and time_of(one["version"]) < before):
            unlink(r, p, _NOTES, p.notes, j)
        j = after


@compiled
def fold_note(r: np.void, p: Pools, e: np.void, now: int, d: Declared, fact_lateness: int) -> None:
    """Let a note stand for its code, unless a newer one does; `now` is the clock (µs).

    A code that nobody declared, a text, and a number that is missing where one is needed change nothing.
    """
    k = signal_of(d, e["ref"])
    if k < 0 or e["a"] == TEXT_VALUE or (d.number[k] and np.isnan(e["x"][0])) or not is_newest(r, p, _PERSON, e):
        return
    _forget(r, p, d, now - fact_lateness, now)
    version, tie = version_of(e)
    j = find(r, _NOTES, p.notes, e["ref"])
    if j >= 0 and older(version, tie, p.notes[j]):
        return
    if j < 0:
        j = take(p, _NOTES, p.notes)
        p.notes[j]["ref"] = e["ref"]
        link(r, p, _NOTES, p.notes, j)
    e["a"] = STANDS
    p.notes[j]["version"], p.notes[j]["tie"] = version, tie
    p.notes[j]["value"] = 1.0 if np.isnan(e["x"][0]) else e["x"][0]
    p.notes[j]["ends"] = now + d.holds[k] if np.isnan(e["x"][1]) else np.int64(e["x"][1])


@compiled
def note_value(r: np.void, p: Pools, ref: np.uint64, now: int) -> float:
    """What the note of a code says at `now` (µs); NaN where none holds."""
    j = find(r, _NOTES, p.notes, ref)
    if j >= 0 and p.notes[j]["ends"] > now:
        return float(p.notes[j]["value"])
    return np.nan


@compiled
def next_end(r: np.void, p: Pools, now: int) -> int:
    """When the next of the customer's notes is over (µs), 0 for none."""
    coming, j = 0, int(r["heads"][_NOTES])
    while j >= 0:
        ends = int(p.notes[j]["ends"])
        if ends > now:
            coming = ends if coming == 0 else min(coming, ends)
        j = int(p.notes[j]["next"])
    return coming
