"""What a worker tells Prometheus: every metric there is, by name, with its labels. No label ever holds a customer.

Each `Metrics` has a registry of its own, so two of them (a worker and a test) never meet in a global one. Counters and
histograms are counted once per batch, never per event. Dashboards and alerts may name only what stands here
(tests/unit/sinks/test_metrics.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from sinks.queues.looking import Counts

BATCH_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DELIVERY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Around the promise (a quarter of a second at half load), and up to an outage of Redis or Kafka."""
CHECKPOINT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """All metrics of one process. Times are in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = self._counter("churn_events_total", "Events applied to a customer's state.", "stream")
        self.dead_letters = self._counter("churn_dead_letters_total", "Input that was refused and kept.", "reason")
        self.duplicates = self._counter("churn_duplicates_total", "Events that had been applied before.")
        self.decisions = self._counter("churn_decisions_total", "Decisions on episodes.", "tier", "status")
        self.lag = self._gauge(
            "churn_consumer_lag_records", "Records of a partition not yet applied.", "topic", "partition"
        )
        self.transactions = self._gauge(
            "churn_open_transaction_records",
            "Records of a partition that are read when a producer ends its transaction.",
            "topic",
            "partition",
        )
        self.batch_seconds = self._histogram(
            "churn_batch_seconds", "From a batch's arrival to its decisions.", BATCH_BUCKETS
        )
        self.delivery_seconds = self._histogram(
            "churn_delivery_seconds", "From an event's receipt to the delivery of its warning.", DELIVERY_BUCKETS
        )
        self.checkpoint_seconds = self._histogram(
            "churn_checkpoint_seconds", "Time to make a checkpoint durable.", CHECKPOINT_BUCKETS
        )
        self.checkpoint_bytes = self._counter("churn_checkpoint_bytes_total", "Bytes written to checkpoints.")
        self.checkpoint_failures = self._counter(
            "churn_checkpoint_failures_total",
            "Checkpoints that could not be read (the one before was) or made.",
            "step",
        )
        self.feature_rows_failures = self._counter(
            "churn_feature_rows_failures_total", "Days of a partition whose feature rows could not be written."
        )
        self.tiers: set[str] = set()
        self.episodes_open = self._gauge("churn_episodes_open", "Open episodes.", "tier")
        self.rules = Info("churn_rules", "The rules and the model in force.", registry=self.registry)
        self.rules_reloaded = self._gauge(
            "churn_rules_reloaded_timestamp_seconds", "When a partition last went over to other rules."
        )
        self.rules_refused = self._counter("churn_rules_refused_total", "Rule sets that are not worked by.", "why")
        self.folder_refused = self._gauge(
            "churn_folder_refused", "1 while what is in the worker's configuration folder is refused, else 0."
        )
        self.rules_held = self._gauge(
            "churn_rules_held",
            "Partitions in which the guard holds a rule, which concerned too many customers.",
            "rule",
        )
        self.guard_alarms = self._counter("churn_guard_alarms_total", "Rules that the guard began to hold.", "rule")
        self.shadow = self._counter("churn_shadow_warnings_total", "Would-be warnings of shadow rules.", "rule")
        self.queue_items = self._gauge(
            "churn_queue_items", "Items of a care queue: ready, later, claimed, overdue.", "queue", "state"
        )
        self.redis_up = self._gauge("churn_redis_up", "1 while the care queues can be reached, else 0.")

    def queues(self, counts: Mapping[str, Counts] | None) -> None:
        """The state of the care queues (`looking.Queues.counts`), or None while Redis cannot be reached."""
        self.redis_up.set(counts is not None)
        for queue, of_queue in (counts or {}).items():
            for state, count in of_queue._asdict().items():
                self.queue_items.labels(queue, state).set(count)

    def show_lag(self, lags: Mapping[int, Mapping[str, int]], held: Mapping[int, Mapping[str, int]]) -> None:
        """Records not yet applied, and those behind open transactions, by topic, of the partitions that are ours; of others
        nothing is said any more.
        """
        for gauge, shown in ((self.lag, lags), (self.transactions, held)):
            gauge.clear()
            for partition, by_topic in shown.items():
                for topic, records in by_topic.items():
                    gauge.labels(topic, str(partition)).set(records)

    def show_open(self, by_tier: Mapping[str, int]) -> None:
        """Open episodes by tier; of tiers that are not named there are none."""
        for tier in self.tiers | set(by_tier):
            self.episodes_open.labels(tier).set(by_tier.get(tier, 0))
        self.tiers |= set(by_tier)

    def page(self) -> bytes:
        """What `/metrics` answers, in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, said: str, *labels: str) -> Counter:
        return Counter(name, said, labels, registry=self.registry)

    def _gauge(self, name: str, said: str, *labels: str) -> Gauge:
        return Gauge(name, said, labels, registry=self.registry)

    def _histogram(self, name: str, said: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, said, registry=self.registry, buckets=buckets)
