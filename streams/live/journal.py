"""What is written down of a partition, so that whoever has it next does the same: its ticks, and what a checkpoint covers."""

from __future__ import annotations

import msgspec

from population.findings import Finding


class Reload(msgspec.Struct, frozen=True):
    """Other rules: the bundle of this hash, by the order at this offset of the topic (live.bundle)."""

    order: int
    rules: str
    released: list[str] = []
    rebuild: bool = False


class Tick(msgspec.Struct, frozen=True):
    """What happened to a partition beside its events, after those before `positions`: its clock moved to `to` (`at` wall
    time, µs), with `reload` its rules became others, or it took over what was found for all partitions (`finding`) or what others
    were told of the network and the market (`reports`).

    `after` is the offset behind the tick before it, as its maker of this `epoch` knew it.
    """

    to: int
    at: int
    positions: dict[str, int]
    after: int
    epoch: int
    reload: Reload | None = None
    finding: Finding | None = None
    reports: list[str] = []


class Covered(msgspec.Struct, frozen=True):
    """What a checkpoint of a partition covers: offsets behind the events applied, the topics' times, the ticks' next offset.

    `outputs`: offsets behind what was delivered; `heard`, `said`, `reports`, `taken`, `found`, `to_obey`: of the exchange, which was read up to `population`. `rules` is the bundle in force and `order` the order that made it so. `clock` is the stream clock, which events moved at `moved_at` (both µs). `partition` of `count`; -1 and 0 where an older version did not say it.
    """

    positions: dict[str, int]
    turns: dict[str, int]
    ticks: int = 0
    outputs: dict[str, int] = {}
    events: int = 0
    clock: int = 0
    moved_at: int = 0
    heard: dict[int, int] = {}
    said: int = 0
    population: int = 0
    reports: dict[int, int] = {}
    to_apply: list[str] = []
    reported: list[str] = []
    taken: list[str] = []
    rules: str = ""
    order: int = -1
    found: int = 0
    to_obey: list[Finding] = []
    partition: int = -1
    count: int = 0
