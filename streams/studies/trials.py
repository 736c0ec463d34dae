"""A rule set over files of events, as a backtest needs it: who would have been warned of, when, by what, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from customers.layout import T
from engine.engine import Engine, Step
from events.columns import Batch
from events.compiled import compiled
from events.hashing import finalise, hash_bytes
from events.memory import PADDING
from events.times import rfc3339, time_of
from rules.backtesting import Trial, Warned
from rules.early_warning import EarlyWarning
from streams import bootstrap
from streams.day_files import day_files
from streams.problems import complain
from streams.replay import Job, Watch, replay, unwatched
from streams.studies.daily_trials import tried_daily

_PADDING = np.frombuffer(PADDING, np.uint8)
_OPEN = ("raised", "elevated")


class Asked(msgspec.Struct, frozen=True):
    """What to try: rules (of the configuration `folder`, or of `rules`) on files, for a share of the customers."""

    files: tuple[str, ...]
    folder: Path
    rules: Path | None = None
    share: float = 1.0
    model: Path | None = None


@compiled
def _kept(
    text: npt.NDArray[np.uint8], at: npt.NDArray[np.int32], length: npt.NDArray[np.int32], most: int
) -> npt.NDArray[np.bool_]:
    kept = np.empty(len(at), np.bool_)
    for i in range(len(at)):
        colon = False  # `cell:9` and `market:all` are nobody, and concern everybody
        for k in range(min(length[i], 8)):
            colon = colon or text[at[i] + k] == 58
        kept[i] = colon or (finalise(hash_bytes(text, at[i], at[i] + length[i])) >> np.uint64(44)) < most
    return kept


def sampled(batch: Batch, share: float) -> Batch:
    """The events of a share of the customers, the same ones always."""
    if share >= 1 or not len(batch):
        return batch
    events, text = batch.events, np.append(batch.text, _PADDING)
    kept = _kept(
        text, np.ascontiguousarray(events["id_at"]), np.ascontiguousarray(events["id_len"]), int(share * 2**20)
    )
    return batch.take(np.flatnonzero(kept))


class Recorder:
    """Stands between the replay and an engine: passes on the sampled customers, and notes what is decided."""

    def __init__(self, engine: Engine, share: float) -> None:
        self.engine, self.share = engine, share
        self.warned: list[Warned] = []
        self.begin = self.events = 0

    def step(self, batch: Batch, decided_at: int) -> Step:
        """Of the sample only."""
        if self.begin == 0 and len(batch):
            self.begin = int(batch.events["at"].min())
        done = self.engine.step(sampled(batch, self.share), decided_at)
        self._note(done.decisions)
        self.events += done.applied
        return done

    def advance(self, to: int, decided_at: int) -> Step:
        done = self.engine.advance(to, decided_at)
        self._note(done.decisions)
        return done

    def _note(self, decisions: Sequence[EarlyWarning]) -> None:
        for one in decisions:
            if one.status in _OPEN:
                rules = tuple(rule.id for rule in one.rules)
                at = time_of(one.raised_at, "raised_at")
                self.warned.append(
                    Warned(
                        one.warning_id, one.customer_id, str(one.status), at, one.tier, one.queue, rules, one.held_out
                    )
                )

    def scores(self, _at: int) -> list[Any]:
        return []

    def save_model(self) -> bytes:
        return b""

    def report(self) -> dict[str, Any]:
        return {}

    def snapshot(self) -> dict[str, Any]:
        return {}


def tried(asked: Asked, watch: Watch = unwatched) -> Trial:
    """Run the files, of events or of daily rows, through the rules. Raises ConfigurationError, OSError, UsageError."""
    configuration = bootstrap.as_it_stands(asked.folder, asked.rules)
    if day_files(asked.files) is not None:
        return tried_daily(asked.files, configuration, asked.share, watch)
    engine = bootstrap.engine(configuration, asked.model, None)
    recorder = Recorder(engine, asked.share)
    build: Callable[[Any], Any] = lambda _: recorder  # noqa: E731 - the replay asks for one
    replay(Job(asked.files), build, complain, watch)
    known = np.flatnonzero(engine.partition.customers.column("times", T["first_seen"]) > 0)
    names = [engine.partition.ids.text(customer) for customer in range(engine.partition.customers.count)]
    now: dict[str, list[str]] = {}
    for customer, episode in engine.decider.episodes.items():
        for k in episode.rules:
            now.setdefault(engine.decider.rules[k].id, []).append(names[customer])
    settings = configuration.settings
    live = [rule for rule in configuration.rules.rules if rule.mode == "live"]
    return Trial(
        version=configuration.rules.version,
        tiers=settings.tiers,
        horizon_days=settings.horizon_days,
        utc_offset=int(settings.utc_offset),
        rules={rule.id: rule.tier for rule in live},
        capacity={str(queue): float(most) for queue, most in settings.capacity.items()},
        events=recorder.events,
        begin=recorder.begin,
        end=engine.partition.clock,
        share=asked.share,
        known=len(known),
        names=names,
        warned=recorder.warned,
        episodes=engine.decider.log.episodes,
        leavers=engine.decider.log.leavers,
        now=now,
        aside=configuration.rules.aside,
        held={rule: f"{rfc3339(alarm.at)}: {alarm}" for rule, alarm in engine.held.items()},
    )


def tried_both(new: Asked, old: Asked | None, watch: Watch = unwatched) -> tuple[Trial, Trial | None]:
    """Both rule sets, at the same time where there are two processors; the progress is that of the new one."""
    if old is None:
        return tried(new, watch), None
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        other = pool.submit(tried, old)
        return tried(new, watch), other.result()
