"""The engine: batches in, decisions out. It knows no clock, no files and no metrics; whoever drives it brings them.

    events → Partition (fold, timers) → rows of measures → features → signals, risk → rules → decisions

Decisions are those of evaluating each customer's events one by one: within a batch only customers differ, never the order
of one customer's events and timers. A learning model takes effect at ticks of event time alone, so a batch is cut there.

This is its one door, and the order in which its rooms act: `parts` (what it is made of), `deciding`, `effects`, `ticking`,
`watching`, `reloading`, `saving`, `accounts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from customers.partition import Told, Work
from customers.rounds import APPLIED, DUPLICATE, ELSEWHERE, TOO_LATE
from engine import accounts, saving
from engine.crowd import PartitionCrowd
from engine.deciding import Deciding
from engine.effects import Effects
from engine.guarding import Alarm
from engine.parts import DAY_US, NO_LIMIT, VERSION, Parts
from engine.reloading import Reloading
from engine.ticking import Ticking
from engine.watching import Watching
from events.columns import Batch
from events.deadletters import DeadLetter, Reason, dead_letter
from events.times import rfc3339
from models.champion import Champion
from population.findings import Finding, Said, Word
from population.incident import Incident
from rules.early_warning import EarlyWarning
from rules.ledger import History, Ledger
from rules.load import Configuration

__all__ = ["DAY_US", "NO_LIMIT", "VERSION", "Engine", "Step"]


class Step(NamedTuple):
    """What came of a batch, or of time passing."""

    decisions: Sequence[EarlyWarning]
    incidents: Sequence[Incident]
    dead: Sequence[DeadLetter]
    applied: int
    duplicates: int
    shadow: Sequence[EarlyWarning] = ()  # would-be warnings of shadow rules; for nobody's queue
    alarms: Sequence[Alarm] = ()  # rules that the guard has begun to hold
    counted: npt.NDArray[np.bool_] | None = None  # which events of the batch were applied


class Engine(Parts):
    """One partition's engine. Times are microseconds UTC; `decided_at` is the wall clock and changes no decision.

    With a `ledger` it counts what `churn report` shows beside warnings.
    """

    def __init__(self, configuration: Configuration, model: Champion, ledger: Ledger | None = None) -> None:
        super().__init__(configuration, model, ledger)
        self._effects = Effects(self)
        self._deciding = Deciding(self, self._effects)
        self._ticking = Ticking(self, self._deciding.evaluate)
        self._reloading = Reloading(self)
        self._watching = Watching(self, self._ticking, self._reloading, self._deciding.evaluate)

    @property
    def ticked(self) -> int:
        """The last tick of event time that the model saw, in µs; 0 before the first."""
        return self._ticking.ticked

    def step(self, batch: Batch, decided_at: int, most: int = NO_LIMIT) -> Step:
        """Apply a batch. The stream clock never passes `most` (arrival time of live events)."""
        self.writer.decided_at = rfc3339(decided_at)
        self._reloading.close_removed()
        work = self.partition.admit(batch, most)
        self.evaluation.sync()
        if not self.model.learning:  # a model that learns takes attributes in at its ticks
            self.evaluation.show(len(self.partition.profiles.attributes.columns))
        self._deciding.begin(work)
        self.watches.begin(work, self.partition.customers.count)
        done = 0
        for end, tick, stop in self._watching.stretches(work):
            self.partition.run(work, done, end, self._deciding.evaluate)
            self._effects.take(end)
            done = end
            if tick is not None:
                self._ticking.tick(tick, work.attributes_by(end))
            if stop is not None:
                self._watching.act(work, stop)
        self.partition.sweep(self.partition.clock, self._deciding.evaluate)
        self._deciding.end()
        accounts.keep(self, work)
        fates = work.fate
        counted = (fates == APPLIED) | (fates == ELSEWHERE)
        return self._done(too_late(work, decided_at), int(np.count_nonzero(fates == DUPLICATE)), counted)

    def advance(self, to: int, decided_at: int) -> Step:
        """Let the clock go on to `to`, firing timers on the way."""
        self.writer.decided_at = rfc3339(decided_at)
        self._reloading.close_removed()
        self.partition.feeds.pass_time(max(to, self.partition.clock))
        self._watching.pass_time(to)
        self.partition.clock = max(self.partition.clock, to)
        self.partition.sweep(to, self._deciding.evaluate)
        return self._done((), 0, None)

    def _done(self, dead: Sequence[DeadLetter], duplicates: int, counted: npt.NDArray[np.bool_] | None) -> Step:
        incidents = self.published()
        shadow, alarms = self.shadow.take(), self._reloading.take_alarms()
        applied = 0 if counted is None else int(np.count_nonzero(counted))
        return Step(self.decider.take(), incidents, dead, applied, duplicates, shadow, alarms, counted)

    def told(self, before: int) -> Told:
        """What the slots (events.times.SLOT_US) before `before` have shown here, each told once, for other partitions."""
        return self.partition.told(before)

    def hear(self, told: Told) -> None:
        """What another partition was told; before the clock comes to the slot after the next of what it tells of."""
        self.partition.hear(told)

    def share(self, lane: int, count: int) -> None:
        """This is the engine of one partition of several: incidents are found for all of them, by the one in partition 0."""
        self.watches.share()
        self.partition.feeds.shared = True
        if lane == 0:
            self.make_judge().lanes = count

    def said(self, passed: int) -> Said | None:
        """What was counted here and was not told yet, for the one that judges; nothing comes before `passed` (µs) any more."""
        return self.watches.said(passed, self._crowd())

    def overhear(self, word: Word, offset: int | None = None) -> None:
        """What a partition said at this offset of the topic (None: of none), for the one that judges."""
        if self.judge is not None:
            self.judge.hear(word, offset)

    def findings(self) -> list[Finding]:
        """What the one that judges has found and all partitions have to be told."""
        return [] if self.judge is None else self.judge.take_findings()

    def obey(self, finding: Finding, decided_at: int) -> Step:
        """Take over what was found for all partitions; the clock goes on to when that was."""
        step = self.advance(max(finding.at, self.partition.clock), decided_at)
        self.watches.obey(finding, self._crowd())
        return step

    def _crowd(self) -> PartitionCrowd:
        return PartitionCrowd(self.partition, self.evaluation, self.names, None)

    def published(self) -> Sequence[Incident]:
        """Incidents on their way out since the last call, or step."""
        judged = [] if self.judge is None else self.judge.take()
        return accounts.told(self, [*self.watches.take(), *judged])

    @property
    def publishes(self) -> bool:
        """Whether the one that judges has incidents for whoever asks next."""
        return self.judge is not None and bool(self.judge.out)

    def reload(self, configuration: Configuration, released: Collection[str] = ()) -> list[Alarm]:
        """Go on under another configuration, between two steps; state is carried over as by `restore`.

        Rules that are the same keep episodes, running `for`s and cooldowns; what lost its rules closes with the next step.
        A live rule that is new or edited and true of too many customers now is held (returned, and among `held`) unless
        `released` names it. Raises ValueError for settings that need a restart, and then nothing has changed.
        """
        return self._reloading.reload(configuration, released)

    def release(self, *rules: str) -> None:
        """Somebody said yes: these rules, which the guard held, are live from now on."""
        self.reload(self.configuration, rules)

    def snapshot(self) -> dict[str, npt.NDArray[Any] | bytes]:
        """Everything the engine knows, views of live arrays: write it before the next step."""
        return saving.snapshot(self, self._ticking, self._reloading)

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from a snapshot; what was read from a file (streams/checkpoint.py) is used up, and becomes this engine's own.

        The rules may have been edited since. Raises ValueError when it cannot be carried over to this version's layout,
        KeyError when something is missing.
        """
        saving.restore(saved, self, self._ticking, self._reloading)

    def save_model(self) -> bytes:
        """What the model learned, with the meaning of its categories' numbers."""
        self.model.vocabulary = self.partition.profiles.attributes.snapshot()
        return self.model.save()

    def scores(self, at: int) -> Iterator[tuple[str, float | None, str | None]]:
        """(customer_id, risk, tier of the open episode) of every customer, as of `at`; nothing is changed by looking."""
        return accounts.scores(self, at)

    def report(self) -> dict[str, Any]:
        """Customers, warnings, and where outcomes came: how the warnings and the model did."""
        return accounts.report(self)

    def open_by_tier(self) -> dict[str, int]:
        """How many episodes are open, by the tier each has reached; may be asked while another thread is in a step."""
        ranks = Counter([episode.tier_rank for episode in [*self.decider.episodes.values()]])
        return {tier: ranks[rank] for rank, tier in enumerate(self.settings.tiers)}

    def in_force(self) -> dict[str, str]:
        """The versions by which it judges: of the rules, and of the model (`learning` for one that changes by itself)."""
        model = "learning" if self.model.learning else self.evaluation.model_version
        return {"rules": self.writer.versions["rules"], "model": model}

    def history(self) -> History:
        """What a report is made of, as of now. Raises ValueError for an engine without a ledger."""
        return accounts.history(self)


def too_late(work: Work, decided_at: int) -> list[DeadLetter]:
    """The dead letters of a batch's events that came later than their lateness allows."""
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
