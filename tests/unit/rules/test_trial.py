"""Shadow rules beside live ones: when a live warning counts as one of the same customer and time."""

from __future__ import annotations

import pytest

from rules.outcomes import EpisodeLog
from rules.trial import beside

DAY = 86_400_000_000
TIERS = ("watch", "warning")


def log(rule: str, raised: int, ended: int | None = None) -> EpisodeLog:
    """One customer, one episode of one rule, in days."""
    made = EpisodeLog(TIERS)
    made.raised(1, 0, raised * DAY, False)
    made.fired(1, rule, raised * DAY)
    if ended is not None:
        made.ended(1, ended * DAY, "risk_fell")
    return made


@pytest.mark.parametrize(
    ("raised", "ended", "overlaps"),
    [
        (10, None, True),  # 90 days old, and open
        (10, 100, True),  # ends with it
        (10, 99, False),  # over the day before, and raised long ago
        (75, 80, True),  # over, but raised within the horizon
        (110, None, True),
        (131, None, False),
    ],
)
def test_a_live_warning_that_is_open_counts_however_old_it_is(raised: int, ended: int | None, overlaps: bool) -> None:
    found = beside(log("live", raised, ended), log("shadow", 100), 200 * DAY, 30 * DAY)["rules"]["shadow"]
    assert found["also_live"] == int(overlaps)
    assert found["live_was_earlier"] == int(overlaps and raised <= 100)
    assert found["live_rules"] == ({"live": 1} if overlaps else {})
