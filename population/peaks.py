"""Peaks of churn: days on which far more customers leave, or take steps to, than the slow baseline of their region.

Daily counts vary more than by chance: their variance is taken as m + (0.25·m)², that of a negative binomial (Farrington
et al., A statistical algorithm for the early detection of outbreaks, JRSS A 1996, do the same for weekly counts of disease).
A peak begins after two such days or one beyond all doubt, and ends after three ordinary ones, so a holiday's rebound does
not make it come and go. In a season that was noted (`market.noted`) only what is beyond all doubt counts.
"""

from __future__ import annotations

import math
from typing import Any, Final

from msgspec import Struct, convert, to_builtins

from events.contract import MarketNoted
from events.times import time_of
from population.crowd import Crowd
from population.desk import IncidentDesk
from population.incident import EVERYWHERE, REGION, IncidentKind
from population.market import region_of
from population.tally import ALL, LEFT, SIGNS, Tally

_VARIATION: Final = 0.25
_BEYOND: Final = 4.0  # standard deviations
_NO_DOUBT: Final = 8.0
_BACK: Final = 2.0
_LEAST: Final = 10
_TIMES: Final = 1.8
_MATURE_DAYS: Final = 14
_MEMORY_DAYS: Final = 28
_QUIET_DAYS: Final = 3
_LISTED_DAYS: Final = 14
_FEED_MAY_SLEEP: Final = 5.0  # a day without any where so many are usual: nothing was told, not nothing happened
_SEASON: Final = "season"
_LONGEST_SEASON: Final = 120  # days
_PEAK: Final = IncidentKind.CHURN_PEAK
DAY_US: Final = 86_400_000_000


class Baseline(Struct):
    """The usual number of a day; `untold`: days in a row of which nothing was told."""

    mean: float = 0.0
    days: int = 0
    untold: int = 0

    def spread(self) -> float:
        """A standard deviation."""
        return math.sqrt(max(self.mean, 1.0) + (_VARIATION * self.mean) ** 2)

    def judge(self, count: int) -> float | None:
        """Standard deviations above the usual; what came after untold days is spread over them. None: cannot be said."""
        if count == 0 and self.mean >= _FEED_MAY_SLEEP:
            self.untold += 1
            return None
        each = count / (self.untold + 1)
        self.untold = 0
        known = self.days >= _MATURE_DAYS
        far = each >= max(_LEAST, _TIMES * self.mean)
        above = (each - self.mean) / self.spread()
        self.days += 1
        step = max(1.0 / self.days, 1.0 / _MEMORY_DAYS)
        self.mean += step * ((min(each, self.mean + _BACK * self.spread()) if known else each) - self.mean)
        return None if not known else above if far else min(above, _BACK)


class Peak(Struct):
    """What is known of a place: its baselines of leavers and of steps to leave, and whether a peak runs."""

    left: Baseline
    signs: Baseline
    high_days: int = 0
    quiet_days: int = 0
    began: int = -1


class PeakWatch:
    """Baselines and peaks of every region and of all."""

    def __init__(self, desk: IncidentDesk, utc_offset: int) -> None:
        self._desk = desk
        self._offset = utc_offset
        self._places: dict[int, Peak] = {}
        self._seasons: list[tuple[str | None, int, int]] = []  # region (None: all), first and last day

    def noted(self, fact: MarketNoted, at: int) -> None:
        """Something of the market was told at `at` (µs); seasons are kept."""
        if fact.kind != _SEASON:
            return
        first = at if fact.starts_at is None else time_of(fact.starts_at, "starts_at")
        last = first if fact.ends_at is None else time_of(fact.ends_at, "ends_at")
        days = [(moment + self._offset) // DAY_US for moment in (first, last)]
        season = (region_of(fact), days[0], min(days[1], days[0] + _LONGEST_SEASON))
        if season not in self._seasons:
            self._seasons.append(season)

    def _in_season(self, place: int, day: int, crowd: Crowd) -> bool:
        name = None if place == ALL else crowd.region(place)
        return any(first <= day <= last and region in (None, name) for region, first, last in self._seasons)

    def end_of_day(self, tally: Tally, day: int, at: int, crowd: Crowd) -> None:
        """A day is over."""
        self._seasons = [season for season in self._seasons if season[2] >= day]
        for region in tally.regions(day):
            self._places.setdefault(region, Peak(Baseline(), Baseline()))
        self._places.setdefault(ALL, Peak(Baseline(), Baseline()))
        for place in sorted(self._places):  # all come first: then no region says it again
            self._judge(place, tally, day, at, crowd)

    def _judge(self, place: int, tally: Tally, day: int, at: int, crowd: Crowd) -> None:
        peak = self._places[place]
        said = [
            peak.left.judge(tally.count(LEFT, day, place)),
            peak.signs.judge(tally.count(SIGNS, day, place)),
        ]
        known = [above for above in said if above is not None]
        if not known:
            return
        above = max(known)
        beyond = _NO_DOUBT if self._in_season(place, day, crowd) else _BEYOND
        peak.high_days = peak.high_days + 1 if above >= beyond else 0
        peak.quiet_days = peak.quiet_days + 1 if above < _BACK else 0
        if peak.began >= 0:
            self._go_on(place, peak, tally, day, at, crowd)
        elif (peak.high_days >= 2 or above >= _NO_DOUBT) and (place == ALL or self._places[ALL].began < 0):
            began = day - peak.high_days + 1
            affected = tally.who((LEFT, SIGNS), range(began, day + 1), place)
            scope, started = self._scope(place, crowd), began * DAY_US - self._offset
            if self._desk.open(_PEAK, scope, started, at, affected, crowd) is not None:
                peak.began, peak.quiet_days = began, 0

    def _go_on(self, place: int, peak: Peak, tally: Tally, day: int, at: int, crowd: Crowd) -> None:
        scope = self._scope(place, crowd)
        affected = tally.who((LEFT, SIGNS), range(peak.began, day + 1), place)
        if peak.quiet_days >= _QUIET_DAYS:
            self._desk.resolve(_PEAK, scope, at, affected, crowd)
            peak.began = -1
        elif len(affected) >= 2 * self._desk.known[_PEAK.value, scope].customers:
            self._desk.update(_PEAK, scope, at, affected, crowd)

    @staticmethod
    def _scope(place: int, crowd: Crowd) -> str:
        return EVERYWHERE if place == ALL else REGION + crowd.region(place)

    def keeps(self, day: int) -> int:
        """The oldest day whose counts are still wanted."""
        return min(
            [day - 1, *(max(peak.began, day - _LISTED_DAYS) for peak in self._places.values() if peak.began >= 0)]
        )

    def snapshot(self) -> list[Any]:
        """As JSON holds it."""
        return [[[place, to_builtins(peak)] for place, peak in self._places.items()], self._seasons]

    def restore(self, saved: list[Any]) -> None:
        """Take over a snapshot."""
        places, seasons = saved
        self._places = {int(place): convert(peak, Peak) for place, peak in places}
        self._seasons = [(region, first, last) for region, first, last in seasons]
