"""The metrics by name."""

from __future__ import annotations

from sinks.metrics import Metrics
from sinks.queues.looking import Counts

NAMES = {
    "churn_events_total": ("stream",),
    "churn_dead_letters_total": ("reason",),
    "churn_duplicates_total": (),
    "churn_decisions_total": ("tier", "status"),
    "churn_consumer_lag_records": ("topic", "partition"),
    "churn_open_transaction_records": ("topic", "partition"),
    "churn_batch_seconds": (),
    "churn_delivery_seconds": (),
    "churn_checkpoint_seconds": (),
    "churn_checkpoint_bytes_total": (),
    "churn_checkpoint_failures_total": ("step",),
    "churn_feature_rows_failures_total": (),
    "churn_episodes_open": ("tier",),
    "churn_rules_info": (),
    "churn_rules_reloaded_timestamp_seconds": (),
    "churn_rules_refused_total": ("why",),
    "churn_folder_refused": (),
    "churn_rules_held": ("rule",),
    "churn_guard_alarms_total": ("rule",),
    "churn_shadow_warnings_total": ("rule",),
    "churn_queue_items": ("queue", "state"),
    "churn_redis_up": (),
}


def declared(metrics: Metrics) -> dict[str, tuple[str, ...]]:
    """Every metric by the name that Prometheus sees, with its labels."""
    suffix = {"counter": "_total", "info": "_info"}
    return {
        family.name + suffix.get(family.type, ""): tuple(collector._labelnames)
        for collector in set(metrics.registry._names_to_collectors.values())
        for family in collector.describe()
    }


def test_there_are_exactly_these_metrics() -> None:
    assert declared(Metrics()) == NAMES


def test_two_of_them_in_one_process_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.events.labels("usage").inc(3)
    one.rules.info({"rules": "abc", "model": "none"})

    assert b'churn_events_total{stream="usage"} 3.0' in one.page()
    assert b'churn_rules_info{model="none",rules="abc"} 1.0' in one.page()
    assert b"usage" not in other.page()


def test_the_queues_are_told_by_state_and_a_redis_that_is_gone_too() -> None:
    metrics = Metrics()
    metrics.queues({"care": Counts(ready=5, later=1, claimed=2, overdue=3)})
    page = metrics.page()
    for line in (b'{queue="care",state="ready"} 5.0', b'{queue="care",state="overdue"} 3.0', b"churn_redis_up 1.0"):
        assert line in page

    metrics.queues(None)
    assert b"churn_redis_up 0.0" in metrics.page()


def test_of_partitions_that_went_to_another_worker_nothing_is_said_any_more() -> None:
    metrics = Metrics()
    metrics.show_lag({0: {"churn.usage.v1": 7}, 1: {"churn.usage.v1": 8}}, {})
    metrics.show_lag({1: {"churn.usage.v1": 9}}, {})
    lines = [line for line in metrics.page().splitlines() if line.startswith(b"churn_consumer_lag_records{")]
    assert lines == [b'churn_consumer_lag_records{partition="1",topic="churn.usage.v1"} 9.0']


def test_a_tier_without_open_episodes_is_shown_as_none() -> None:
    metrics = Metrics()
    metrics.show_open({"watch": 2})
    metrics.show_open({})
    assert b'churn_episodes_open{tier="watch"} 0.0' in metrics.page()
