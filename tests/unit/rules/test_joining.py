"""How a rule that fired found its way into a warning, as `rules explain` says it."""

from __future__ import annotations

from rules.joining import firings, in_words, open_beside
from rules.outcomes import EpisodeLog

DAY = 86_400_000_000


def log() -> EpisodeLog:
    """Customer 1: opened by `first`, joined by `later` two days on, elevated by `graver` on the fourth."""
    made = EpisodeLog(("watch", "warning"))
    made.raised(1, 0, DAY, False)
    made.fired(1, "first", DAY)
    made.fired(1, "later", 3 * DAY)
    made.reached(1, 1, 5 * DAY)
    made.fired(1, "graver", 5 * DAY)
    made.ended(1, 9 * DAY, "risk_fell")
    return made


def said(rule: str, **live: str) -> str:
    (found,) = firings(log(), 1, rule)
    return in_words(found | {"live": live or None})


def test_a_rule_that_joins_an_open_warning_is_said_to_have_none_of_its_own() -> None:
    told = said("later")
    assert told.startswith(
        "fired at 1970-01-04T00:00:00.000000Z until 1970-01-10T00:00:00.000000Z (risk_fell), with first graver; "
    )
    joined = "no warning of its own: it joined the one that first raised at 1970-01-02T00:00:00.000000Z"
    assert told.endswith(f"{joined}, which stays at its tier")
    assert said("graver").endswith(f"{joined}, and elevated it to warning")
    assert "joined" not in said("first")


def test_of_a_rule_on_trial_the_live_warning_is_named_that_was_open() -> None:
    live = open_beside(log().episodes, 1, 4 * DAY)
    assert live == {"raised_at": "1970-01-02T00:00:00.000000Z", "rules": "first later"}
    assert open_beside(log().episodes, 1, 10 * DAY) is None
    assert open_beside(log().episodes, 2, 4 * DAY) is None
    assert said("first", **live).endswith(
        "; if it were live it would join the warning of first later, open since 1970-01-02T00:00:00.000000Z"
    )
