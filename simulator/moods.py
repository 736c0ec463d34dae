"""How much each customer uses compared with their habit, day by day.

The product of: fading along a story (and recovery of stayers over three weeks), noise that remembers yesterday, a slow
trend of a few per cent a month either way, and quiet spells anybody may have (illness, a trip, a second telephone) with
no meaning at all. A seventh of the spells are trips abroad, with roaming.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import Bools, Floats, Ints, Random
from simulator.clock import DAY
from simulator.fates import Fate

RECOVERY_DAYS = 21.0
SPELLS_PER_DAY = 1 / 210
NOISE, MEMORY = 0.3, 0.75


class Moods:
    """State of everybody's liveliness; `today` moves it on by a day."""

    def __init__(self, count: int, random: Random) -> None:
        self._begins: Floats = np.full(count, 1e9)
        self._ends: Floats = np.full(count, 1e9)
        self._floor: Floats = np.ones(count)
        self._power: Floats = np.ones(count)
        self._stays: Bools = np.ones(count, dtype=np.bool_)
        self._noise: Floats = random.normal(0, NOISE, count)
        self._trend: Floats = random.normal(0, 0.04 / 30, count)
        self._spell_until: Ints = np.zeros(count, dtype=np.int64)
        self._spell_use: Floats = np.ones(count)
        self._abroad: Bools = np.zeros(count, dtype=np.bool_)

    def fade(self, fate: Fate, floor: float, power: float) -> None:
        """Use falls to `floor` of the habit by the story's end; a higher power falls later and faster."""
        who = fate.who
        self._begins[who], self._ends[who] = fate.begins, max(fate.ends / DAY, fate.begins + 1.0)
        self._floor[who], self._power[who], self._stays[who] = floor, power, not fate.leaves

    def forget(self, who: int) -> None:
        """No story any more (a customer who came back)."""
        self._floor[who] = 1.0

    def today(self, day: int, random: Random) -> tuple[Floats, Bools]:
        """Factor of each customer for the day, and who is abroad."""
        part = np.clip((day + 0.5 - self._begins) / (self._ends - self._begins + 1e-9), 0.0, 1.0)
        story = 1 - (1 - self._floor) * part**self._power
        healing = np.clip((day - self._ends) / RECOVERY_DAYS, 0.0, 1.0) * self._stays
        story += (1 - story) * healing
        self._noise *= MEMORY
        self._noise += random.normal(0, NOISE * np.sqrt(1 - MEMORY**2), len(self._noise))
        self._start_spells(day, random)
        spell = np.where(self._spell_until > day, self._spell_use, 1.0)
        factor = story * spell * np.exp(self._noise - NOISE**2 / 2 + self._trend * min(day, 365))
        return np.asarray(factor, dtype=np.float64), self._abroad & (self._spell_until > day)

    def _start_spells(self, day: int, random: Random) -> None:
        new = np.flatnonzero((random.random(len(self._noise)) < SPELLS_PER_DAY) & (self._spell_until <= day))
        self._spell_until[new] = day + random.geometric(0.18, len(new))
        self._abroad[new] = random.random(len(new)) < 0.14
        self._spell_use[new] = np.where(self._abroad[new], 0.5, random.uniform(0.0, 0.45, len(new)))
