"""Trying many values of rules' parameters in one pass over files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from customers.layout import T
from engine.engine import Engine
from models.champion import Champion
from rules.backtesting import Trial
from rules.decide import Decider
from rules.load import Configuration
from rules.outcomes import EpisodeLine
from rules.ruleset import Rule
from rules.settings import Guard
from rules.tuning import FOLDS, Goal, Part, Promise, Tried, chosen, fold_of, part, parts, promise, summed, swing
from rules.variants import with_parameter
from rules.writing import Writer
from streams import bootstrap
from streams.problems import complain
from streams.replay import Job, Watch, replay
from streams.studies.trials import Recorder


class Counting(Decider):
    """Notes when each rule fires, by itself: no episode, nobody is told."""

    def __init__(self, configuration: Configuration, writer: Writer) -> None:
        super().__init__(configuration, writer, "shadow")
        self.fired: dict[int, list[tuple[int, int]]] = {k: [] for k in range(len(self.rules))}

    def _episode(self, customer: int, at: int, fired: list[int], *_: object, **__: object) -> None:
        for k in fired:
            self.fired[k].append((customer, at))


class TryingEngine(Engine):
    """An engine whose shadow rules are counted one by one."""

    def __init__(self, configuration: Configuration, model: Champion) -> None:
        super().__init__(configuration, model)
        self.counting = self.shadow.decider = Counting(configuration, self.writer)


class Candidate(NamedTuple):
    """A rule with a value of one of its parameters."""

    rule: str
    parameter: str
    value: float


Choose = Callable[
    [Trial, Mapping[Candidate, list[tuple[int, int]]], int, Goal], tuple[Sequence[Candidate], Tried | None]
]
"""Chooses values: `best_of_one` or `tier_of_rules`."""


def fires(
    files: Sequence[str],
    configuration: Configuration,
    candidates: Sequence[Candidate],
    share: float,
    model: Path | None,
    watch: Watch,
) -> tuple[Trial, dict[Candidate, list[tuple[int, int]]]]:
    """When each candidate would have fired, (customer, when in µs), in one pass; and what came of the rules as they are.

    A candidate's `for` is looked at when the customer is looked at anyway, so it may fire up to a `recheck` late.
    """
    rules, schema, currency = configuration.rules, configuration.schema, configuration.settings.currency
    known = {rule.id: rule for rule in (*rules.rules, *rules.switched_off)}
    made = [with_parameter(known[one.rule], one.parameter, one.value, schema, currency) for one in candidates]
    numbered = [replace(rule, id=f"{rule.id}#{k}") for k, rule in enumerate(made)]
    live: list[Rule] = [rule for rule in rules.rules if rule.mode == "live"]
    settings = msgspec.structs.replace(configuration.settings, guard=Guard(share=1.0))  # it would stop the count
    tried = replace(configuration, settings=settings, rules=replace(rules, rules=(*live, *numbered)))
    champion, _ = bootstrap.champion(tried, None if model is None else model.read_bytes())
    engine = TryingEngine(tried, champion)
    recorder = Recorder(engine, share)
    replay(Job(files), lambda _: recorder, complain, watch)
    found = {one: engine.counting.fired[k] for k, one in enumerate(candidates)}
    return trial_of(engine, recorder, share), found


def trial_of(engine: Engine, recorder: Recorder, share: float) -> Trial:
    """As much of a trial as tuning needs."""
    settings = engine.settings
    known = int(np.count_nonzero(engine.partition.customers.column("times", T["first_seen"]) > 0))
    return Trial(
        version=engine.configuration.rules.version,
        tiers=settings.tiers,
        horizon_days=settings.horizon_days,
        utc_offset=int(settings.utc_offset),
        rules={},
        capacity={},
        events=recorder.events,
        begin=recorder.begin,
        end=engine.partition.clock,
        share=share,
        known=known,
        names=[],
        warned=[],
        episodes=list[EpisodeLine](),
        leavers=engine.decider.log.leavers,
        now={},
    )


def curve(
    trial: Trial, fired: dict[Candidate, list[tuple[int, int]]], split: int
) -> dict[tuple[str, str], list[Tried]]:
    """By rule and parameter what came of each value."""
    found: dict[tuple[str, str], list[Tried]] = {}
    for one, lines in fired.items():
        found.setdefault((one.rule, one.parameter), []).append(Tried(one.value, *parts(trial, lines, split)))
    return found


def best_of_one(
    trial: Trial, fired: Mapping[Candidate, list[tuple[int, int]]], split: int, goal: Goal
) -> tuple[list[Candidate], Tried | None]:
    """For one parameter of a rule: the value that keeps to the goal and finds most."""
    best = chosen([Tried(one.value, *parts(trial, lines, split)) for one, lines in fired.items()], goal)
    return [one for one in fired if best is not None and one.value == best.value], best


def expected(
    trial: Trial,
    fired: Mapping[Candidate, list[tuple[int, int]]],
    split: int,
    goal: Goal,
    choose: Choose,
    picked: Sequence[Candidate],
    best: Tried,
) -> Promise | None:
    """What the earlier part promises of what was chosen for the later part."""
    lines = [line for one in picked for line in fired[one]]
    lines = once(trial, lines) if len(picked) > 1 else lines
    too_good = optimism(trial, fired, split, goal, choose)
    return promise(best.earlier, too_good, best.later.customers or 0, swing(trial, lines, split))


def optimism(
    trial: Trial, fired: Mapping[Candidate, list[tuple[int, int]]], split: int, goal: Goal, choose: Choose
) -> float:
    """By how much what is chosen looks better, in the earlier part, than it is.

    Customers fall into folds; for each, values are chosen by all others: the difference between the precision with those and
    with the fold, which had no say.
    """
    capacity = None if goal.capacity is None else goal.capacity * (FOLDS - 1) / FOLDS
    looked: list[Part] = []
    found: list[Part] = []
    for fold in range(FOLDS):
        others, own = (
            {one: [line for line in lines if (fold_of(line[0]) == fold) is mine] for one, lines in fired.items()}
            for mine in (False, True)
        )
        picked, _ = choose(trial, others, split, goal._replace(capacity=capacity))
        for lines_of, parts_of in ((others, looked), (own, found)):
            lines = [line for one in picked for line in lines_of[one]]
            lines = once(trial, lines) if len(picked) > 1 else lines
            parts_of.append(part(trial, lines, trial.begin, split, split))
    seemed, was = summed(looked).precision, summed(found).precision
    return 0.0 if seemed is None or was is None else seemed - was


def tier_of_rules(
    trial: Trial, fired: Mapping[Candidate, list[tuple[int, int]]], split: int, goal: Goal
) -> tuple[list[Candidate], Tried | None]:
    """For several rules together: at most one value each, added while the whole keeps to the goal in the earlier part.

    Each step adds (or changes to) the value that finds most further leavers for each further warning. A customer warned of
    by several within a horizon counts once.
    """
    picked: dict[str, Candidate] = {}
    best = Tried(0.0, *parts(trial, [], split))
    while True:
        found: tuple[float, Candidate, Tried] | None = None
        for one in fired:
            if picked.get(one.rule) == one:
                continue
            trying = {**picked, one.rule: one}
            lines = once(trial, [line for each in trying.values() for line in fired[each]])
            got = Tried(0.0, *parts(trial, lines, split))
            fits = (got.earlier.precision or 0.0) >= goal.floor
            fits = fits and (goal.capacity is None or got.earlier.a_day <= goal.capacity)
            gain = got.earlier.churned - best.earlier.churned
            worth = gain / max(1, got.earlier.warnings - best.earlier.warnings)
            if fits and gain > 0 and (found is None or worth > found[0]):
                found = worth, one, got
        if found is None:
            return sorted(picked.values()), best if picked else None
        picked[found[1].rule], best = found[1], found[2]


def once(trial: Trial, lines: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The lines with each customer at most once within a horizon."""
    horizon, last, found = trial.horizon_days * 86_400_000_000, dict[int, int](), []
    for customer, at in sorted(lines, key=lambda line: line[1]):
        if customer not in last or at - last[customer] > horizon:
            last[customer] = at
            found.append((customer, at))
    return found
