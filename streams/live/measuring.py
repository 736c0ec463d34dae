"""What a worker's metrics say of its partitions: how many events of which stream, what waits, what is open, what is in force."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

import structlog

from sinks.metrics import Metrics
from streams.live.library import REASONS
from streams.live.output import Output
from streams.live.tenancy import Tenancy
from streams.live.topics import EVENTS

STEPS = ("read", "write")
log = structlog.get_logger()


def stream_of(topic: str) -> str:
    """The contract's name of a stream: `usage` for `churn.usage.v1`."""
    return topic.split(".")[1]


def show_from_the_start(metrics: Metrics) -> None:
    """Zeros: a series that begins with its first event has no increase, and a feed that never spoke would be missed."""
    for topic in EVENTS:
        metrics.events.labels(stream_of(topic))
    for step in STEPS:
        metrics.checkpoint_failures.labels(step)
    for why in REASONS:
        metrics.rules_refused.labels(why)


def count_output(metrics: Metrics, partition: int, output: Output, now: float) -> None:
    """What some work of a partition came to; `now` is monotonic (s)."""
    for topic, applied in output.by_topic.items():
        metrics.events.labels(stream_of(topic)).inc(applied)
    metrics.duplicates.inc(output.duplicates)
    for letter in output.dead:
        metrics.dead_letters.labels(letter.reason).inc()
    for decision in output.decisions:
        metrics.decisions.labels(decision.tier, decision.status).inc()
    for decision in output.shadow:
        for rule in decision.rules[:1] if decision.revision == 1 else ():
            metrics.shadow.labels(rule.id).inc()
    if output.came is not None:
        metrics.batch_seconds.observe(now - output.came)
    if output.misplaced:
        log.error("records in a partition their key does not belong in", partition=partition, records=output.misplaced)


def show_partitions(metrics: Metrics, tenancies: Mapping[int, Tenancy]) -> int:
    """Lag, open episodes and versions of the partitions that are ours; gives how many records wait in all."""
    lags = {partition: lag_of(tenancy) for partition, tenancy in tenancies.items()}
    held = {
        partition: {topic: tenancy.transactions.records(topic) for topic in EVENTS}
        for partition, tenancy in tenancies.items()
    }
    metrics.show_lag(lags, held)
    say_held(tenancies, time.monotonic())
    open_now: Counter[str] = Counter()
    for tenancy in tenancies.values():
        open_now.update(tenancy.lane.engine.open_by_tier())
    metrics.show_open(open_now)
    for tenancy in [*tenancies.values()][:1]:  # one process, one configuration
        metrics.rules.info(dict(tenancy.lane.engine.in_force()))
    return sum(sum(lag.values()) for lag in lags.values())


def say_held(tenancies: Mapping[int, Tenancy], now: float) -> None:
    """Say which topics are held up by a transaction that somebody does not end; `now` is monotonic (s)."""
    for partition, tenancy in tenancies.items():
        for topic, held in tenancy.transactions.to_say(now):
            log.warning("an open transaction holds a topic", topic=topic, partition=partition, offset=held.offset,
                        records=held.records, hint="kafka-transactions.sh find-hanging")  # fmt: skip


def lag_of(tenancy: Tenancy) -> dict[str, int]:
    """Records of each topic that are not applied yet; markers of transactions at its end, and what is behind an open one, are none."""
    lane = tenancy.lane
    left = {topic: tenancy.ends[topic] - queue.position for topic, queue in lane.merger.queues.items()}
    return {topic: 0 if lane.at_end(topic) else max(0, left[topic]) for topic in EVENTS}
