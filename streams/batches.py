"""Stretches of a batch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from events.columns import Batch, concat


def part(batch: Batch, start: int, end: int) -> Batch:
    """The events from `start` to before `end`, sharing the batch's bytes; without its dead letters and line count."""
    if start == 0 and end == len(batch):
        facts = batch.facts
    else:
        facts = {index - start: fact for index, fact in batch.facts.items() if start <= index < end}
    return Batch(batch.events[start:end], batch.text, batch.raw, batch.origins, facts)


def compacted(batch: Batch) -> Batch:
    """The same events with only the bytes that they need, where these lie together as they do in a file."""
    events = batch.events.copy()
    start, end = int(events["start"].min()), int(events["end"].max())
    text_start, text_end = int(events["id_at"].min()), int((events["id_at"] + events["id_len"]).max())
    events["start"] -= start
    events["end"] -= start
    events["id_at"] -= text_start
    before = [origin for origin in batch.origins if origin.at <= start][-1:]
    within = [origin for origin in batch.origins if start < origin.at < end]
    origins = [origin._replace(at=max(0, origin.at - start)) for origin in before + within]
    return Batch(events, batch.text[text_start:text_end], batch.raw[start:end], origins, batch.facts)


def in_order(taken: Sequence[tuple[Batch, NDArray[np.int64]]]) -> Batch:
    """One batch in order of turn; what is of one turn stays in the order of the pieces."""
    if len(taken) == 1:
        return taken[0][0]
    batch = concat([piece for piece, _ in taken])
    return batch.take(np.argsort(np.concatenate([turns for _, turns in taken]), kind="stable"))


def pieces(batch: Batch, limit: int) -> Iterator[Batch]:
    """The batch in stretches of at most `limit` events; dead letters and line count go with the first."""
    if len(batch) <= limit:
        yield batch
        return
    places = sorted(batch.facts)
    for start in range(0, len(batch), limit):
        end = min(start + limit, len(batch))
        within = places[bisect_left(places, start) : bisect_left(places, end)]
        facts = {index - start: batch.facts[index] for index in within}
        piece = Batch(batch.events[start:end], batch.text, batch.raw, batch.origins, facts)
        if start == 0:
            piece.dead, piece.lines = batch.dead, batch.lines
        yield piece
