"""A day is learned once nothing more of it can come: by the lateness, and by the lag of the customer's own usage."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.engines import batch, engine, every, frozen

START = datetime(2024, 3, 1, 12, tzinfo=UTC)


def usage(customer, day, lag=0.0):
    """100 MB on a day, dated `lag` days before it arrives."""
    at = START + timedelta(days=day - lag)
    return {"type": "usage.recorded", "event_id": f"{customer}{day}", "customer_id": customer,
            "occurred_at": at.isoformat(), "service": "data", "mb": 100}  # fmt: skip


def lived(days, lag, until=None):
    """A feed that is alive every hour, and one customer whose usage lags in it (and ends at `until`)."""
    facts = []
    for hour in range(days * 24):
        if hour % 24 == 0 and (until is None or hour // 24 < until):
            facts.append(usage("c", hour / 24, lag))
        facts.append(usage("alive", hour / 24))
    return [json.dumps(fact).encode() for fact in facts]


def after(lines, known_of, size=10_000):
    made = engine(model=frozen())
    for part in every(size, lines):
        assert not made.step(batch(part), 0).dead
    return known_of(made)


@pytest.mark.parametrize("lag", [0, 0.9, 2, 3])
def test_usage_that_arrives_late_but_in_order_is_learned(known_of, lag):
    found = after(lived(45, lag), known_of)
    assert found["data_normal"] == pytest.approx(700, rel=0.03)
    assert found["usage_index"] == pytest.approx(1, rel=0.03)
    assert found["usage_cusum"] < 0.1


def test_what_comes_too_late_for_the_windows_teaches_nothing(known_of):
    assert not after(lived(45, 6), known_of).get("days_closed")


@pytest.mark.parametrize("lag", [0, 3])
def test_true_silence_is_still_learned(known_of, lag):
    found = after(lived(60, lag, until=35), known_of)
    assert found["usage_index"] < 0.1
    assert found["usage_cusum"] > 1


@pytest.mark.parametrize("lag", [0, 2, 3])
def test_batches_make_no_difference(known_of, lag):
    lines = lived(30, lag, until=20)
    assert after(lines, known_of) == after(lines, known_of, size=7)
