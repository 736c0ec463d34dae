"""The engine: batches in, decisions out. It knows no clock, no files and no metrics; whoever drives it brings them.

    events → Partition (fold, timers) → rows of measures → features → signals, risk → rules → decisions

Decisions are those of evaluating each customer's events one by one: within a batch only customers differ, never the order
of one customer's events and timers. A learning model takes effect at ticks of event time alone, so a batch is cut there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from customers.layout import C, L, T
from customers.partition import Partition, Work
from customers.rounds import APPLIED, DUPLICATE, ELSEWHERE, TOO_LATE, Limits, Rows
from detectors.features import CATALOGUE
from events.codes import CAUSES, Kind
from events.columns import EVENT, Batch
from events.contract import CareResolved, CustomerChurned, CustomerReturned, LineChanged
from events.deadletters import DeadLetter, Reason, dead_letter
from events.times import rfc3339
from models.champion import Champion
from population.incident import Incident
from population.watches import Stop, Watches
from rules.decide import Decider
from rules.early_warning import EarlyWarning, StatusReason
from rules.ledger import WANTED, History, Ledger
from rules.load import Configuration
from rules.outcomes import ACTIVE_US, Leaver
from rules.writing import Writer
from streams.crowd import PartitionCrowd
from streams.evaluation import Evaluation, Names
from streams.layouts import checked_layouts, layouts

VERSION: Final = "0.1.0"
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
SECOND_US: Final = 1_000_000
NO_LIMIT: Final = 2**62
NO_EVENTS: Final = np.zeros(0, EVENT)
EFFECTS: Final = (CustomerChurned, CustomerReturned, CareResolved, LineChanged)
_CHURNED, _RETURNED = int(Kind.CUSTOMER_CHURNED), int(Kind.CUSTOMER_RETURNED)
_TRANSFERRED: Final = "transferred"
_WHOLE_LINE: Final = (None, "mobile")  # of a product beside it, the subscription goes on
_ENDS_EPISODE: Final = {
    "retained": StatusReason.RESOLVED,
    "declined": StatusReason.RESOLVED,
    "false_alarm": StatusReason.RESOLVED,
    "do_not_contact": StatusReason.POLICY,
    "already_left": StatusReason.CHURNED,
}


class Step(NamedTuple):
    """What came of a batch, or of time passing."""

    decisions: Sequence[EarlyWarning]
    incidents: Sequence[Incident]
    dead: Sequence[DeadLetter]
    applied: int
    duplicates: int


class Engine:
    """One partition's engine. Times are microseconds UTC; `decided_at` is the wall clock and changes no decision.

    With a `ledger` it counts what `churn report` shows beside warnings.
    """

    def __init__(self, configuration: Configuration, model: Champion, ledger: Ledger | None = None) -> None:
        settings = configuration.settings
        self.settings = settings
        self.ledger = ledger
        self.writer = Writer(configuration, CATALOGUE, VERSION)
        self.decider = Decider(configuration, self.writer)
        limits = Limits(
            lateness=int(settings.lateness),
            fact_lateness=int(settings.fact_lateness),
            recheck=int(settings.recheck),
            hold=self.decider.least_hold,
            usage_horizon=max(int(settings.lateness), DAY_US) // SECOND_US,
            fact_horizon=max(int(settings.fact_lateness), DAY_US) // SECOND_US,
        )
        self.partition = Partition(limits, self.decider.words, int(settings.utc_offset))
        if model.vocabulary:  # a saved model's categories keep their numbers
            self.partition.profiles.attributes.restore(model.vocabulary)
        self.names = Names(self.partition)
        self.model = model
        versions = {name: self.writer.versions[name] for name in ("engine", "rules")}
        self.watches = Watches(int(settings.utc_offset), versions)
        self.evaluation = Evaluation(
            self.partition, model, configuration, self.decider.rules, self.watches.network.holds
        )
        self.ticked = 0  # the last tick of event time that the model saw
        self.outcome_at = 0  # clock of the first outcome since then; 0: none
        self._pending: list[int] = []  # facts of the running work that change an episode, by index
        self._work: Work | None = None
        self._restored = False  # episodes may have lost their rules

    def step(self, batch: Batch, decided_at: int, most: int = NO_LIMIT) -> Step:
        """Apply a batch. The stream clock never passes `most` (arrival time of live events)."""
        self.writer.decided_at = rfc3339(decided_at)
        self._close_removed()
        work = self._work = self.partition.admit(batch, most)
        self.evaluation.sync()
        if not self.model.learning:  # a model that learns takes attributes in at its ticks
            self.evaluation.show(len(self.partition.profiles.attributes.columns))
        self._pending = [i for i, fact in sorted(work.batch.facts.items()) if isinstance(fact, EFFECTS)]
        self.watches.begin(work, self.partition.customers.count)
        done = 0
        for end, tick, stop in self._stretches(work):
            self.partition.run(work, done, end, self._evaluate)
            self._take_effect(end)
            done = end
            if tick is not None:
                self._tick(work, tick, work.attributes_by(end))
            if stop is not None:
                self._watch(work, stop)
        self.partition.sweep(work, self.partition.clock, self._evaluate)
        self._work = None
        self._keep_accounts(work)
        fates = work.fate
        return Step(
            self.decider.take(),
            self._told(self.watches.take()),
            self._dead(work, decided_at),
            int(np.count_nonzero((fates == APPLIED) | (fates == ELSEWHERE))),
            int(np.count_nonzero(fates == DUPLICATE)),
        )

    def advance(self, to: int, decided_at: int) -> Step:
        """Let the clock go on to `to`, firing timers on the way."""
        self.writer.decided_at = rfc3339(decided_at)
        self._close_removed()
        self._tick_until(to)
        self.partition.clock = max(self.partition.clock, to)
        self.partition.sweep(None, to, self._evaluate)
        return Step(self.decider.take(), self._told(self.watches.take()), (), 0, 0)

    def _close_removed(self) -> None:
        """Right after a restore, at its clock: end the episodes whose rules are no more."""
        if self._restored:
            who = self.evaluation.who(self.names, rows=False)
            for customer in self.decider.close_removed(self.partition.clock, who):
                self.partition.set_rules_due(customer, self.decider.timers.next(customer))
            self._restored = False

    def _stretches(self, work: Work) -> Iterator[tuple[int, int | None, Stop | None]]:
        """Cut the batch where the model ticks and where a watch acts: (end of the stretch, what follows it)."""
        stop = self.watches.scan(work)
        for end, tick in self._ticks(work):
            at = NO_LIMIT if tick is None else tick
            while stop is not None and (stop.position, stop.time) <= (end, at):
                yield stop.position, None, stop
                stop = self.watches.scan(work)
            yield end, tick, None

    def _ticks(self, work: Work) -> Iterator[tuple[int, int | None]]:
        """Where the model ticks: (end of the stretch, the tick that follows it)."""
        clocks, count = work.clocks, len(work.clocks)
        if not self.model.learning:
            yield count, None
            return
        kinds = work.batch.events["kind"]
        outcome_clocks = clocks[(kinds == _CHURNED) | (kinds == _RETURNED)]
        while True:
            tick = self._next_tick(outcome_clocks)
            end = int(np.searchsorted(clocks, tick))
            if end < count and self._is_far(tick, int(clocks[end])):
                yield end, None  # only what is folded up to here tells whether there is anything to learn
                if end:
                    self.partition.sweep(work, int(clocks[end - 1]), self._evaluate)
                tick = self._skip(tick, int(clocks[end]))
            if count == 0 or tick > clocks[-1]:
                yield count, None
                left = outcome_clocks[np.searchsorted(outcome_clocks, self.ticked) :]
                if self.outcome_at == 0 and len(left):
                    self.outcome_at = int(left[0])  # the tick that follows it may come with a later batch
                return
            yield end, tick

    def _is_far(self, tick: int, coming: int) -> bool:
        """Whether the event at `coming` is more than a horizon after the tick."""
        return coming - tick > self.model.settings.horizon_us

    def _skip(self, tick: int, coming: int) -> int:
        """The tick, or, over a long empty stretch with nothing to learn, the last midnight before `coming`."""
        if not self._is_far(tick, coming) or not self.model.idle():
            return tick
        return max(tick, coming // DAY_US * DAY_US)

    def _next_tick(self, outcome_clocks: npt.NDArray[np.int64]) -> int:
        """The next tick at which the model has anything to do: daily, after an outcome, when examples mature."""
        step = int(self.settings.tick)
        if self.ticked == 0 and self._work is not None and len(self._work.clocks):
            self.ticked = int(self._work.clocks[0]) // DAY_US * DAY_US
        first = self.ticked
        tick = (first // DAY_US + 1) * DAY_US
        coming = outcome_clocks[np.searchsorted(outcome_clocks, first) :]
        outcome_at = self.outcome_at or (int(coming[0]) if len(coming) else 0)
        if outcome_at:
            tick = min(tick, (outcome_at // step + 1) * step)
        ready = self.model.ready_at()
        if ready is not None:
            tick = min(tick, max(-(-ready // step) * step, (first // step + 1) * step))
        return tick

    def _tick(self, work: Work | None, tick: int, attributes: int) -> None:
        """Fire what is due before the tick, then let the model learn, and take in the attributes there are by now."""
        self.partition.sweep(work, tick - 1, self._evaluate)
        self.evaluation.show(attributes)
        if self.model.tick(tick):
            self.evaluation.model_changed()
        self.ticked, self.outcome_at = tick, 0

    def _watch(self, work: Work | None, stop: Stop) -> None:
        """Fire what is due before a watch acts, so that it is judged by what held then; then let it act."""
        self.writer.versions["model"] = self.evaluation.model_version
        ended = self.watches.day_ended(stop)
        if stop.changes or stop.fact is not None or ended is not None or self.watches.network.holds:
            self.partition.sweep(work, stop.time - 1, self._evaluate)
        if ended is not None:
            self.partition.feeds.peers.end_of_day(ended)
        self.watches.act(stop, work, PartitionCrowd(self.partition, self.evaluation, self.names, work))

    def _tick_until(self, to: int) -> None:
        """Let time pass up to `to`: what the watches and the model have to do on the way, in order of time."""
        none = np.zeros(0, np.int64)
        stop = self.watches.pass_time(to)
        while True:
            tick = self._next_tick(none) if self.model.learning and self.ticked > 0 else NO_LIMIT
            if stop is not None and stop.time <= tick:
                self._watch(None, stop)
                stop = self.watches.pass_time(to)
            elif tick <= to:
                tick = self._skip(tick, to)
                self._tick(None, tick, len(self.partition.profiles.attributes.columns))
            else:
                return

    def _evaluate(self, rows: Rows, count: int) -> None:
        """Features, signals, risk and rules for the rows of a round; what the rules wait for goes back as timers."""
        self.writer.versions["model"] = self.evaluation.model_version
        if count:
            if self._work is not None:
                self.watches.rows(rows, count, self._work.batch.events["kind"])
            self._decide(rows, count)
        self._take_effect(None)

    def _decide(self, rows: Rows, count: int) -> None:
        verdict = self.evaluation.judge(rows, count)
        self.evaluation.freeze(rows, count)
        events = NO_EVENTS if self._work is None else self._work.batch.events
        touched = self.decider.decide(
            rows.customer[:count],
            rows.now[:count],
            rows.asked[:count],
            verdict,
            self.partition.customers.bits,
            self.decider.renewal.words(events, rows.event[:count], rows.measures),
            self.evaluation.who(self.names),
            self.evaluation.explained(rows, count),
        )
        for customer in touched:
            self.partition.set_rules_due(customer, self.decider.timers.next(customer))

    def _take_effect(self, end: int | None) -> None:
        """Facts that were folded and change an episode: churn, what care found, another person on the line."""
        work = self._work
        if work is None or not self._pending:
            return
        left = []
        for index in self._pending:
            if work.fate[index] == APPLIED:
                self._effect(work, index)
            elif work.fate[index] == 0 and (end is None or index >= end):
                left.append(index)
        self._pending = left

    def _effect(self, work: Work, index: int) -> None:
        fact, customer, at = work.batch.facts[index], int(work.who[index]), int(work.clocks[index])
        who, bits = self.evaluation.who(self.names, rows=False), self.partition.customers.bits
        if isinstance(fact, CustomerChurned):
            dated = int(work.batch.events["at"][index])
            voluntary = fact.voluntary is not False
            self.model.churned(customer, dated, voluntary)
            seen, cause = self._seen_before(customer, at), CAUSES[work.batch.events["a"][index]]
            self.decider.left(Leaver(customer, dated, seen, voluntary, cause), who)
            if voluntary:
                self.watches.left(customer, at, int(self.partition.customers.records["labels"][customer, L["region"]]))
            if self.partition.customers.records["codes"][customer, C["churned"]] == 1:  # no later return stands
                self.decider.gone(customer, at, StatusReason.CHURNED, bits, who)
                self.partition.stop_timers(customer)
        elif isinstance(fact, CustomerReturned):
            self.model.returned(customer, int(work.batch.events["at"][index]))
        elif isinstance(fact, CareResolved):
            reason = _ENDS_EPISODE.get(fact.outcome)
            episode = self.decider.episodes.get(customer)
            if reason is not None and episode is not None and episode.warning_id == fact.warning_id:
                self.decider.close(customer, at, reason, who)
                self.decider.spend(customer, bits)
                self.partition.set_rules_due(customer, self.decider.timers.next(customer))
        elif isinstance(fact, LineChanged) and fact.status == _TRANSFERRED and fact.product in _WHOLE_LINE:
            self.model.transferred(customer, int(work.batch.events["at"][index]))
            self.decider.gone(customer, at, StatusReason.RESOLVED, bits, who)
            self.partition.set_rules_due(customer, None)

    def _seen_before(self, customer: int, at: int) -> bool:
        """Whether the leaver had an event in the 90 days before this one."""
        record = self.partition.customers.records[customer]["times"]
        return bool(at - int(record[T["seen_before"]]) <= ACTIVE_US)

    def _keep_accounts(self, work: Work) -> None:
        """Let the ledger count what was applied."""
        if self.ledger is None or not len(work.clocks):
            return
        self.ledger.began(int(work.clocks[0]))
        applied = (work.fate == APPLIED) | (work.fate == ELSEWHERE)
        index = np.flatnonzero(WANTED[work.batch.events["kind"]] & applied)
        customers, labels = work.who[index], self.partition.profiles.labels["region"]
        regions = self.partition.customers.column("labels", L["region"])[customers].tolist()
        named = [None if region < 0 else labels.text(region) for region in regions]
        self.ledger.facts(work.batch.events[index], customers, named)

    def _told(self, incidents: Sequence[Incident]) -> Sequence[Incident]:
        """Incidents on their way out; the ledger remembers them."""
        if self.ledger is not None:
            self.ledger.warned_of(incidents)
        return incidents

    def _dead(self, work: Work, decided_at: int) -> list[DeadLetter]:
        received = rfc3339(decided_at)
        return [
            dead_letter(
                Reason.TOO_LATE,
                f"occurred_at is {rfc3339(int(work.batch.events['at'][i]))}, older than its lateness allows",
                work.batch.place(i),
                received,
                work.batch.payload(i),
            )
            for i in np.flatnonzero(work.fate == TOO_LATE).tolist()
        ]

    def save_model(self) -> bytes:
        """What the model learned, with the meaning of its categories' numbers."""
        self.model.vocabulary = self.partition.profiles.attributes.snapshot()
        return self.model.save()

    def scores(self, at: int) -> Iterator[tuple[str, float | None, str | None]]:
        """(customer_id, risk, tier of the open episode) of every customer, as of `at`; nothing is changed by looking."""
        times = self.partition.customers.column("times", T["first_seen"])
        known = np.flatnonzero(times > 0)
        churned = self.partition.customers.column("codes", C["churned"])
        names = self.names
        for rows, count in self.partition.look(known, at):
            risk = self.evaluation.judge(rows, count, learn=False).risk[:count]
            for customer, value in zip(rows.customer[:count].tolist(), risk.tolist(), strict=True):
                known_risk = None if value != value or churned[customer] else value
                yield names.customer_id(customer), known_risk, self.decider.tier_of(customer)

    def report(self) -> dict[str, Any]:
        """Customers, warnings, and where outcomes came: how the warnings and the model did."""
        known = int(np.count_nonzero(self.partition.customers.column("times", T["first_seen"]) > 0))
        report: dict[str, Any] = {
            "customers": known,
            "state_bytes_per_customer": round(self.partition.customers.bytes_per_customer),
            "warnings": self.decider.log.warnings(),
        }
        if self.decider.log.any_leaver:
            horizon = self.settings.horizon_days * DAY_US
            report["outcomes"] = self.decider.log.outcomes(self.partition.clock, horizon)
            report["model"] = self.model.report()
        return report

    def history(self) -> History:
        """What a report is made of, as of now. Raises ValueError for an engine without a ledger."""
        if self.ledger is None:
            raise ValueError("this engine keeps no ledger")
        first_seen = self.partition.customers.column("times", T["first_seen"]).astype(np.int64)
        return History(self.decider.log, self.ledger, first_seen, self.partition.clock, self.settings.horizon_days)

    def snapshot(self) -> dict[str, npt.NDArray[Any] | bytes]:
        """Everything the engine knows, views of live arrays: write it before the next step."""
        parts: dict[str, npt.NDArray[Any] | bytes] = {}
        parts.update({f"partition.{name}": part for name, part in self.partition.snapshot().items()})
        parts.update({f"model.{name}": part for name, part in self.model.snapshot().items()})
        parts.update({f"decider.{name}": part for name, part in self.decider.snapshot().items()})
        parts.update({f"watches.{name}": part for name, part in self.watches.snapshot().items()})
        if self.ledger is not None:
            parts["ledger"] = self.ledger.snapshot()
        parts["engine"] = msgspec.json.encode(
            {
                "version": VERSION,
                "ticked": self.ticked,
                "outcome_at": self.outcome_at,
                "attributes": self.evaluation.attributes,
                "layouts": layouts(),
            }
        )
        return parts

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Go on from a snapshot.

        The rules may have been edited since. Raises ValueError when it cannot be carried over to this version's layout,
        KeyError when something is missing.
        """
        own = msgspec.json.decode(bytes(parts["engine"]))
        checked_layouts(own["layouts"])

        def of(room: str) -> dict[str, Any]:
            return {name[len(room) + 1 :]: part for name, part in parts.items() if name.startswith(room + ".")}

        self.partition.restore(of("partition"))
        self.model.restore(of("model"))
        customers = self.partition.customers
        carried = self.decider.restore(of("decider"), customers.bits[: customers.count])
        customers.replace_bits(carried.bits)
        for customer in carried.customers:
            self.partition.set_rules_due(customer, self.decider.timers.next(customer))
        self._restored = True
        self.watches.restore(of("watches"))
        if self.ledger is not None and "ledger" in parts:
            self.ledger.restore(bytes(parts["ledger"]))
        self.ticked, self.outcome_at = int(own["ticked"]), int(own["outcome_at"])
        self.evaluation.sync()
        self.evaluation.show(int(own["attributes"]))
        self.evaluation.model_changed()
