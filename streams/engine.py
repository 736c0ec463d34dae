"""The engine: batches in, decisions out. It knows no clock, no files and no metrics; whoever drives it brings them.

    events → Partition (fold, timers) → rows of measures → features → signals, risk → rules → decisions

Decisions are those of evaluating each customer's events one by one: within a batch only customers differ, never the order
of one customer's events and timers. A learning model takes effect at ticks of event time alone, so a batch is cut there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from customers.layout import C, L, T
from customers.partition import Partition, Told, Work
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
from rules.ruleset import Rule
from rules.signals import declared, features_of
from rules.trial import beside
from rules.writing import Writer
from streams.crowd import PartitionCrowd
from streams.evaluation import Evaluation, Names
from streams.guarding import EDITED, SUDDEN, Alarm, bits_set, check_reloadable, fresh, still_held, too_many, with_held
from streams.layouts import checked_layouts, layouts
from streams.shadow import Shadow

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
    shadow: Sequence[EarlyWarning] = ()  # would-be warnings of shadow rules; for nobody's queue
    alarms: Sequence[Alarm] = ()  # rules that the guard has begun to hold


def writer_of(configuration: Configuration) -> Writer:
    """Who writes decisions down, in the words of the catalogue and of the operator's own signals."""
    signals = {signal.name: signal for signal in features_of(configuration.settings.signals)}
    return Writer(configuration, {**CATALOGUE, **signals}, VERSION)


class Engine:
    """One partition's engine. Times are microseconds UTC; `decided_at` is the wall clock and changes no decision.

    With a `ledger` it counts what `churn report` shows beside warnings.
    """

    def __init__(self, configuration: Configuration, model: Champion, ledger: Ledger | None = None) -> None:
        settings = configuration.settings
        self.settings = settings
        self.configuration = configuration  # as it was asked for: rules that are held are live in it
        self.held: dict[str, Alarm] = {}  # rules that the guard keeps in shadow
        self._alarms: list[Alarm] = []
        self._guarded_day = 0  # the local day whose firings are being counted
        self.ledger = ledger
        self.writer = writer_of(configuration)
        self.decider = Decider(configuration, self.writer)
        self.shadow = Shadow(configuration, self.writer)
        self.partition = Partition(
            self._limits(), self.decider.words, int(settings.utc_offset), declared(settings.signals)
        )
        if model.vocabulary:  # a saved model's categories keep their numbers
            self.partition.profiles.attributes.restore(model.vocabulary)
        self.names = Names(self.partition)
        self.model = model
        self._versions = {name: self.writer.versions[name] for name in ("engine", "rules")}
        self.watches = Watches(int(settings.utc_offset), self._versions)
        self.evaluation = Evaluation(
            self.partition,
            model,
            configuration,
            self.decider.rules,
            self.watches.network.holds,
            self.watches.market,
            self.shadow.decider.rules,
        )
        self.ticked = 0  # the last tick of event time that the model saw
        self.outcome_at = 0  # clock of the first outcome since then; 0: none
        self._pending: list[int] = []  # facts of the running work that change an episode, by index
        self._work: Work | None = None
        self._restored = False  # episodes may have lost their rules

    def _limits(self) -> Limits:
        settings = self.settings
        return Limits(
            lateness=int(settings.lateness),
            fact_lateness=int(settings.fact_lateness),
            recheck=int(settings.recheck),
            hold=min(self.decider.least_hold, self.shadow.decider.least_hold),
            usage_horizon=max(int(settings.lateness), DAY_US) // SECOND_US,
            fact_horizon=max(int(settings.fact_lateness), DAY_US) // SECOND_US,
        )

    def reload(self, configuration: Configuration, released: Collection[str] = ()) -> list[Alarm]:
        """Go on under another configuration, between two steps; state is carried over as by `restore`.

        Rules that are the same keep episodes, running `for`s and cooldowns; what lost its rules closes with the next step.
        A live rule that is new or edited and true of too many customers now is held (returned, and among `held`) unless
        `released` names it. Raises ValueError for settings that need a restart, and then nothing has changed.
        """
        check_reloadable(self.settings, configuration.settings)
        held = {
            name: alarm
            for name, alarm in still_held(self.held, configuration.rules.rules).items()
            if name not in released
        }
        doubtful = [
            rule
            for rule in fresh(self.configuration.rules.rules, configuration.rules.rules)
            if rule.id not in released and rule.id not in held
        ]
        alarms = self._examined(configuration, doubtful) if doubtful else []
        self._install(configuration, held | {alarm.rule: alarm for alarm in alarms})
        return alarms

    def release(self, *rules: str) -> None:
        """Somebody said yes: these rules, which the guard held, are live from now on."""
        self.reload(self.configuration, rules)

    def _examined(self, configuration: Configuration, doubtful: Sequence[Rule]) -> list[Alarm]:
        """The alarms of the rules that are true of too many customers as of now."""
        known = np.flatnonzero(self.partition.customers.column("times", T["first_seen"]) > 0)
        looking = Evaluation(
            self.partition, self.model, configuration, doubtful, self.watches.network.holds, self.watches.market
        )
        looking.show(self.evaluation.attributes)
        counts = np.zeros(len(doubtful), np.int64)
        for rows, count in self.partition.look(known, self.partition.clock):
            counts += bits_set(looking.judge(rows, count, learn=False).fire[:count], len(doubtful))
        found = zip(doubtful, counts.tolist(), strict=True)
        return too_many(found, len(known), configuration.settings, EDITED, self.partition.clock)

    def _install(self, configuration: Configuration, held: dict[str, Alarm]) -> None:
        """Put other rules in the place of those there are."""
        effective = with_held(configuration, held)
        writer = writer_of(effective)
        writer.decided_at = self.writer.decided_at
        decider, shadow = Decider(effective, writer), Shadow(effective, writer)
        customers = self.partition.customers
        carried = decider.take_over(self.decider, customers.bits[: customers.count])
        shadow.take_over(self.shadow)
        customers.replace_bits(carried.bits)
        for customer in carried.customers:
            self.partition.set_rules_due(customer, decider.timers.next(customer))
        attributes = self.evaluation.attributes
        self.settings, self.configuration, self.held = configuration.settings, configuration, held
        self.writer, self.decider, self.shadow = writer, decider, shadow
        self._versions["rules"] = writer.versions["rules"]
        self.partition.limits = self._limits()
        self.evaluation = Evaluation(
            self.partition,
            self.model,
            effective,
            decider.rules,
            self.watches.network.holds,
            self.watches.market,
            shadow.decider.rules,
        )
        self.evaluation.show(attributes)
        self._restored = True

    def _guard(self, stop: Stop) -> None:
        """At local midnight: hold the rules that fired for too many customers since the one before."""
        day = (stop.time + int(self.settings.utc_offset)) // DAY_US
        if day == self._guarded_day:
            return
        self._guarded_day = day
        fired, self.decider.fired_today = self.decider.fired_today, {}
        known = int(np.count_nonzero(self.partition.customers.column("times", T["first_seen"]) > 0))
        counted = [(self.decider.rules[k], len(customers)) for k, customers in sorted(fired.items())]
        alarms = too_many(counted, known, self.settings, SUDDEN, stop.time)
        if alarms:
            self._alarms += alarms
            self._install(self.configuration, self.held | {alarm.rule: alarm for alarm in alarms})
            self._close_removed(stop.time)

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
                self._tick(tick, work.attributes_by(end))
            if stop is not None:
                self._watch(work, stop)
        self.partition.sweep(self.partition.clock, self._evaluate)
        self._work = None
        self._keep_accounts(work)
        fates = work.fate
        return Step(
            self.decider.take(),
            self._told(self.watches.take()),
            self._dead(work, decided_at),
            int(np.count_nonzero((fates == APPLIED) | (fates == ELSEWHERE))),
            int(np.count_nonzero(fates == DUPLICATE)),
            self.shadow.take(),
            self._take_alarms(),
        )

    def advance(self, to: int, decided_at: int) -> Step:
        """Let the clock go on to `to`, firing timers on the way."""
        self.writer.decided_at = rfc3339(decided_at)
        self._close_removed()
        self.partition.feeds.pass_time(max(to, self.partition.clock))
        self._tick_until(to)
        self.partition.clock = max(self.partition.clock, to)
        self.partition.sweep(to, self._evaluate)
        return Step(
            self.decider.take(), self._told(self.watches.take()), (), 0, 0, self.shadow.take(), self._take_alarms()
        )

    def told(self, before: int) -> Told:
        """What the slots (events.times.SLOT_US) before `before` have shown here, each told once, for other partitions."""
        return self.partition.told(before)

    def hear(self, told: Told) -> None:
        """What another partition was told; before the clock comes to the slot after the next of what it tells of."""
        self.partition.hear(told)

    def _take_alarms(self) -> list[Alarm]:
        alarms, self._alarms = self._alarms, []
        return alarms

    def _close_removed(self, at: int | None = None) -> None:
        """Right after a restore or a reload, at its clock: end the episodes whose rules are no more."""
        if self._restored:
            at = self.partition.clock if at is None else at
            who = self.evaluation.who(self.names, rows=False)
            for customer in self.decider.close_removed(at, who):
                self.partition.set_rules_due(customer, self.decider.timers.next(customer))
            self.shadow.close_removed(at, who)
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
                    self.partition.sweep(int(clocks[end - 1]), self._evaluate)
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

    def _tick(self, tick: int, attributes: int) -> None:
        """Fire what is due before the tick, then let the model learn, and take in the attributes there are by now."""
        self.partition.sweep(tick - 1, self._evaluate)
        self.evaluation.show(attributes)
        if self.model.tick(tick):
            self.evaluation.model_changed()
        self.ticked, self.outcome_at = tick, 0

    def _watch(self, work: Work | None, stop: Stop) -> None:
        """Fire what is due before a watch acts, so that it is judged by what held then; then let it act."""
        self.writer.versions["model"] = self.evaluation.model_version
        ended = self.watches.day_ended(stop)
        if stop.changes or stop.fact is not None or ended is not None or self.watches.network.holds:
            self.partition.sweep(stop.time - 1, self._evaluate)
        counted = self.watches.peers_day(stop)
        if counted > self.partition.feeds.peers.newest:
            self.partition.sweep(stop.time - 1, self._evaluate)
            self.partition.feeds.peers.end_of_day(counted)
        if ended is not None:
            self._guard(stop)
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
                self._tick(tick, len(self.partition.profiles.attributes.columns))
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
        explained = self.evaluation.explained(rows, count)
        if self.shadow:
            self.shadow.ensure(self.partition.customers.count)
            verdict, aside = self.evaluation.apart(verdict, count)
            self.shadow.decide(rows, count, aside, events, self.evaluation.who(self.names), explained)
        touched = self.decider.decide(
            rows.customer[:count],
            rows.now[:count],
            rows.asked[:count],
            verdict,
            self.partition.customers.bits,
            self.decider.renewal.words(events, rows.event[:count], rows.measures),
            self.evaluation.who(self.names),
            explained,
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
            self.shadow.decider.left(Leaver(customer, dated, seen, voluntary, cause), who)
            if voluntary:
                self.watches.left(customer, at, int(self.partition.customers.records["labels"][customer, L["region"]]))
            if self.partition.customers.records["codes"][customer, C["churned"]] == 1:  # no later return stands
                self.decider.gone(customer, at, StatusReason.CHURNED, bits, who)
                self.shadow.gone(customer, at, StatusReason.CHURNED, who)
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
            self.shadow.gone(customer, at, StatusReason.RESOLVED, who)
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
        if self.shadow:
            horizon = self.settings.horizon_days * DAY_US
            report["shadow"] = beside(self.decider.log, self.shadow.decider.log, self.partition.clock, horizon)
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
        parts.update({f"shadow.{name}": part for name, part in self.shadow.snapshot().items()})
        parts.update({f"watches.{name}": part for name, part in self.watches.snapshot().items()})
        if self.ledger is not None:
            parts["ledger"] = self.ledger.snapshot()
        parts["engine"] = msgspec.json.encode(
            {
                "version": VERSION,
                "ticked": self.ticked,
                "outcome_at": self.outcome_at,
                "attributes": self.evaluation.attributes,
                "held": list(self.held.values()),
                "fired_today": [
                    [self.decider.rules[k].id, sorted(who)] for k, who in sorted(self.decider.fired_today.items())
                ],
                "guarded_day": self._guarded_day,
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

        held = {one["rule"]: msgspec.convert(one, Alarm) for one in own.get("held", ())}
        held = still_held(held, self.configuration.rules.rules)
        if held:
            self._install(self.configuration, held)
        self.partition.restore(of("partition"))
        self.model.restore(of("model"))
        customers = self.partition.customers
        carried = self.decider.restore(of("decider"), customers.bits[: customers.count])
        customers.replace_bits(carried.bits)
        for customer in carried.customers:
            self.partition.set_rules_due(customer, self.decider.timers.next(customer))
        self.shadow.restore(of("shadow"))
        self._restored = True
        self.watches.restore(of("watches"))
        if self.ledger is not None and "ledger" in parts:
            self.ledger.restore(bytes(parts["ledger"]))
        places = {rule.id: k for k, rule in enumerate(self.decider.rules)}
        fired = {places[name]: set(who) for name, who in own.get("fired_today", ()) if name in places}
        self.decider.fired_today, self._guarded_day = fired, int(own.get("guarded_day", 0))
        self.ticked, self.outcome_at = int(own["ticked"]), int(own["outcome_at"])
        self.evaluation.sync()
        self.evaluation.attributes = -1  # the model is another: it has to be told anew which attributes there are
        self.evaluation.show(int(own["attributes"]))
