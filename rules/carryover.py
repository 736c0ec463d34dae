"""State that one set of rules left, for another: a rule is the same where its id is.

Rules that both have keep their bits and timers, whatever else was edited; those that are gone take theirs along, and new
ones begin idle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rules.bits import Words, words_of
from rules.timers import EPISODE

_PLANES: Final = 4
_ONE: Final = np.uint64(1)


class Carried(NamedTuple):
    """The bits of all customers by the rules there are now, and the customers whose next timer may be another."""

    bits: Words
    customers: set[int]


def places(then: Sequence[str], now: Sequence[str]) -> dict[int, int]:
    """Where each rule that is still there stands now, by where it stood. An episode's own timers stay its own."""
    at = {name: k for k, name in enumerate(now)}
    return {EPISODE: EPISODE} | {k: at[name] for k, name in enumerate(then) if name in at}


def bits_now(bits: Words, moves: dict[int, int], rules: int) -> Words:
    """The bits, shape (customers, planes × words), for as many rules as there are now."""
    old, new = bits.shape[1] // _PLANES, len(words_of([False] * rules))
    found = np.zeros((len(bits), _PLANES * new), np.uint64)
    for then, now in moves.items():
        if now == EPISODE:
            continue
        for plane in range(_PLANES):
            bit = bits[:, plane * old + then // 64] >> np.uint64(then % 64) & _ONE
            found[:, plane * new + now // 64] |= bit << np.uint64(now % 64)
    return found


def timers_now(rows: npt.NDArray[np.int64], moves: dict[int, int]) -> tuple[npt.NDArray[np.int64], set[int]]:
    """Rows of (customer, rule, kind, due) of the rules there are now, and the customers who lost any."""
    stays = np.isin(rows[:, 1], list(moves))
    kept = rows[stays].copy()
    kept[:, 1] = [moves[rule] for rule in kept[:, 1].tolist()]
    return kept, set(rows[~stays, 0].tolist())


def held_up_now(rules: dict[int, int], moves: dict[int, int]) -> dict[int, int]:
    """The rules that hold an episode up, and since when."""
    return {moves[rule]: since for rule, since in rules.items() if rule in moves}


def checked_tiers(then: Iterable[str], now: Sequence[str]) -> None:
    """Raises ValueError for other tiers: what got to one of them cannot be told in the others' terms."""
    if list(then) != list(now):
        raise ValueError(f"its tiers are {', '.join(then)}, those of the configuration {', '.join(now)}")
