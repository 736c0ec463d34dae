"""One open episode per customer, whatever happens."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from support.engines import batch, engine, newest
from support.profiles import examples
from support.small_streams import Moment, lines, moments, random_moments

pytestmark = pytest.mark.usefixtures("eager_model")
TIERS = ("watch", "warning", "critical")


def check(whole: list[bytes]) -> int:
    """Follow every episode through the decisions in the order in which they were made; returns how many there were."""
    made, one = engine(), batch(whole)
    decisions = [*made.step(one, 0).decisions]
    end = newest([one])
    decisions += made.advance(end, 0).decisions
    opened, ended = {}, set()
    for decision in map(msgspec.to_builtins, decisions):
        before = opened.get(decision["customer_id"])
        if decision["status"] == "raised":
            assert before is None, "two open episodes"
            assert decision["revision"] == 1
            assert decision["warning_id"] not in ended | {each["warning_id"] for each in opened.values()}
        else:
            assert before is not None, "nothing was open"
            assert decision["warning_id"] == before["warning_id"]
            assert decision["revision"] == before["revision"] + 1
            assert decision["raised_at"] >= before["raised_at"]
            assert decision["held_out"] == before["held_out"]
            rank, rank_before = TIERS.index(decision["tier"]), TIERS.index(before["tier"])
            assert rank > rank_before if decision["status"] == "elevated" else rank == rank_before
        assert (decision["status_reason"] is None) == (decision["status"] in {"raised", "elevated"})
        if decision["status"] in {"raised", "elevated"}:
            assert decision["rules"]
            opened[decision["customer_id"]] = decision
        else:
            ended.add(opened.pop(decision["customer_id"])["warning_id"])
    tiers = {customer: tier for customer, _, tier in made.scores(end) if tier is not None}
    assert tiers == {customer: decision["tier"] for customer, decision in opened.items()}
    return len(ended) + len(opened)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(moments(40))
def test_a_customer_has_at_most_one_open_episode(stream):
    check(lines(stream))


def test_two_episodes_of_one_moment_are_told_apart():
    """A late fact leaves the clock where it is: the next person on the line may be warned of at once."""
    use, moved = Moment(0, 0, 0, 0, 0, again=False), Moment(0, 0, 5, 0, 187, again=False)
    assert check(lines([*[use] * 10, moved, *[use] * 10])) == 2


@pytest.mark.parametrize("seed", range(2))
def test_and_so_in_long_lives(seed):
    assert check(lines(random_moments(seed, 500, customers=6))) > 10
