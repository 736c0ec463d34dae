"""What comes of a lane's work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core import Step
from engine.guarding import Alarm
from events.columns import Batch
from events.deadletters import DeadLetter
from population.incident import Incident
from rules.early_warning import EarlyWarning
from streams.live.topics import EVENTS


class Output(NamedTuple):
    """What came of some work."""

    decisions: Sequence[EarlyWarning] = ()
    incidents: Sequence[Incident] = ()
    dead: Sequence[DeadLetter] = ()
    applied: int = 0
    duplicates: int = 0
    misplaced: int = 0
    shadow: Sequence[EarlyWarning] = ()
    alarms: Sequence[Alarm] = ()
    came: float | None = None
    """When the oldest event of this came (monotonic, s); None without events."""
    by_topic: Mapping[str, int] = {}
    """Events applied, by the topic they came from."""


def output_of(step: Step, dead: Sequence[DeadLetter] = ()) -> Output:
    """What goes out of a step, with what was refused on the way to it."""
    everything = [*dead, *step.dead]
    return Output(
        step.decisions,
        step.incidents,
        everything,
        step.applied,
        step.duplicates,
        shadow=step.shadow,
        alarms=step.alarms,
    )


def counts_by_topic(batch: Batch, counted: NDArray[np.bool_]) -> dict[str, int]:
    """How many of the events that are marked came from each topic of events."""
    starts = np.fromiter((origin.at for origin in batch.origins), np.int64, len(batch.origins))
    origins = np.searchsorted(starts, batch.events["start"][counted], "right") - 1
    found: dict[str, int] = {}
    for origin, count in zip(batch.origins, np.bincount(origins, minlength=len(starts)).tolist(), strict=True):
        topic = origin.name.partition("/")[0]
        if topic in EVENTS:  # not what another partition reported and counted
            found[topic] = found.get(topic, 0) + count
    return found
