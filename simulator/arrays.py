"""Names for the array types the operator is made of (one entry per customer unless said otherwise)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Random = np.random.Generator
Texts = NDArray[Any]


def random_for(seed: int, part: int, day: int = 0) -> Random:
    """A generator for one part of the operator on one day, so that parts do not disturb each other's draws."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, part, day + 1])))


def pick(random: Random, weights: Floats | list[float] | tuple[float, ...], size: int) -> Ints:
    """`size` indices drawn with the given weights (not necessarily summing to one)."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(edges, random.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(edges) - 1), dtype=np.int64)
