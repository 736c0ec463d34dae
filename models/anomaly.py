"""How unlike a customer's own weeks this one is: River's half-space trees, learned from a sample of customer-days.

River walks its trees in Python, too slow for every event. So it learns a few customer-days out of a day, chosen by a hash of
customer and day, and only when the day is over; compiled code (`halfspace.py`) scores every row. A score says little by itself:
what is told is the share of the sampled customer-days that are less unusual, so 0.995 is one in 200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.hashing import combine
from models.examples import EVERY
from models.halfspace import ROWS, Room, Trees, as_table, leaf_masses, masses
from models.settings import DAY_US, LearningSettings

if TYPE_CHECKING:
    from river.anomaly import HalfSpaceTrees

SEED: Final = 7


class Input(NamedTuple):
    """A feature as the trees see it: `value / (value + scale)`, and `ordinary` where it is unknown."""

    name: str
    scale: float
    ordinary: float


OWN: Final = tuple(
    Input(name, 1.0, 0.5) for name in ("uses_7d_vs_own", "data_mb_7d_vs_own", "voice_7d_vs_own", "messages_7d_vs_own")
)
"""Of these at least one has to be known, or nothing is said."""
INPUTS: Final = (
    *OWN,
    Input("bill_vs_own", 1.0, 0.5),
    Input("usage_month_vs_quarter", 1.0, 0.5),
    Input("silence_ratio", 1.0, 0.0),
    Input("trouble_rate_7d", 0.1, 0.0),
    Input("contacts_30d", 2.0, 0.0),
    Input("overage_share", 0.2, 0.0),
)
NAMES: Final = tuple(one.name for one in INPUTS)
_SCALE, _ORDINARY = (np.array([getattr(one, field) for one in INPUTS]) for field in ("scale", "ordinary"))
UNKNOWN: Final = Trees(
    np.zeros(len(INPUTS), np.int64),
    _SCALE,
    _ORDINARY,
    len(OWN),
    np.zeros((0, 0), np.uint32),
    np.zeros((0, 0)),
    np.zeros((0, 0), np.int32),
    np.zeros(0, np.int32),
    0,
)
"""Nothing was learned."""
_NODES: Final = ("feature", "split", "masses")
_SHOWN: Final = ("place", "threshold", "mass", "table")


class Day(NamedTuple):
    """The customer-days sampled since the last tick of a day: those with the smallest keys, each as it began.

    `keys` u8[n], `units` f8[n, inputs]; `held` i8[1] of them are in use; no key above `bound` u8[1] is wanted.
    """

    keys: NDArray[np.uint64]
    units: NDArray[np.float64]
    held: NDArray[np.int64]
    bound: NDArray[np.uint64]


def new_day(most: int, *, learn: bool = True) -> Day:
    """Room for so many customer-days; none is wanted unless there is learning."""
    bound = np.array([EVERY if learn and most else 0], np.uint64)
    return Day(np.zeros(most, np.uint64), np.zeros((most, len(INPUTS))), np.zeros(1, np.int64), bound)


NOTHING: Final = new_day(0)
"""For looking without learning."""


@compiled
def take(customers: NDArray[np.int32], now: NDArray[np.int64], at: int, rows: int, r: Room, d: Day) -> None:
    """Of a block of rows, take in whose customer-day belongs to the sample and is new; `now` is in microseconds.

    Which customer-days are kept in the end does not depend on the order of customers.
    """
    if d.bound[0] == np.uint64(0):
        return
    for i in range(rows):
        if r.told[i]:
            key = combine(np.uint64(customers[at + i] + 1), np.uint64(now[at + i] // DAY_US))
            if key <= d.bound[0]:
                _take(key, i, r, d)


@compiled
def _take(key: np.uint64, lane: int, r: Room, d: Day) -> None:
    count, met = d.held[0], False
    for k in range(count):
        met |= d.keys[k] == key
    if met:
        return
    at = count
    if count == len(d.keys):
        at = np.argmax(d.keys)
    else:
        d.held[0] = count + 1
    d.keys[at] = key
    for k in range(d.units.shape[1]):
        d.units[at, k] = r.units[k * ROWS + lane]
    if d.held[0] == len(d.keys):
        d.bound[0] = d.keys.max()


class Anomaly:
    """Samples, learns when a day is over, publishes. `trees` is the state that scores; `day` what is being sampled."""

    def __init__(self, settings: LearningSettings, *, learn: bool = True) -> None:
        self.settings, self._learning = settings, learn
        self._river: HalfSpaceTrees | None = None
        self._resting = ungrown(settings)  # River's trees as arrays, while there are none
        self.day = new_day(settings.anomaly_per_day, learn=learn)
        self.sample = np.zeros((0, len(INPUTS)))
        self.trees = UNKNOWN
        if learn:
            self._wake()

    @property
    def river(self) -> HalfSpaceTrees:
        """What learns. Where there is only scoring there is none until somebody asks: importing it takes a second."""
        return self._wake() if self._river is None else self._river

    def _wake(self) -> HalfSpaceTrees:
        from river.anomaly import HalfSpaceTrees  # noqa: PLC0415

        kept, self._resting = self._resting, {}
        trees, height, window, counter = kept["shape"].tolist()
        self._river = HalfSpaceTrees(trees, height, window, seed=SEED)
        if len(kept["masses"]):
            self._learn(_ORDINARY.tolist())  # makes the trees
            for tree, *nodes in zip(self._river.trees, *(kept[name].tolist() for name in _NODES), strict=True):
                _fill(tree, *nodes)
            self._river.counter, self._river._first_window = counter, not self.pivoted  # noqa: SLF001 - no other way
        return self._river

    @property
    def speaking(self) -> bool:
        """Whether enough was learned to say anything."""
        return self.trees.known > 0

    @property
    def pivoted(self) -> bool:
        """Whether River has seen a whole window, by which it scores."""
        return bool(self.river.trees) and self.river.trees[0].r_mass > 0

    def tick(self) -> bool:
        """A day is over: learn its sample in the order of the keys. True when scoring changed."""
        count = int(self.day.held[0])
        units = self.day.units[:count][np.argsort(self.day.keys[:count])]
        self.day = new_day(self.settings.anomaly_per_day)
        for row in units[: self.settings.anomaly_learned_per_day].tolist():
            self._learn(row)
        self.sample = np.concatenate([self.sample, units])[-self.settings.anomaly_sample :]
        if not count or not self.pivoted or len(self.sample) < self.settings.anomaly_to_speak:
            return False
        self._publish()
        return True

    def _learn(self, units: list[float]) -> None:
        self.river.learn_one(dict(enumerate(units)))  # type: ignore[no-untyped-call]  # River

    def _publish(self) -> None:
        nodes = [heap(tree) for tree in self.river.trees]
        inner = 2**self.river.height - 1
        trees = UNKNOWN._replace(
            place=np.array([[node.feature * ROWS for node in tree[:inner]] for tree in nodes], np.uint32),
            threshold=np.array([[node.threshold for node in tree[:inner]] for tree in nodes]),
            mass=leaf_masses(np.array([[node.r_mass for node in tree] for tree in nodes]), self.river.window_size),
        )
        self.trees = trees._replace(table=as_table(masses(self.sample, trees)), known=len(self.sample))

    def learned(self) -> dict[str, Any]:
        """What was learned and what scores, as arrays: masses and shares, no customer's days."""
        shown = {name: getattr(self.trees, name) for name in _SHOWN}
        inputs = np.frombuffer("\0".join(NAMES).encode(), np.uint8)
        return {"inputs": inputs} | (self._resting or self._grown()) | shown | {"known": np.array([self.trees.known])}

    def _grown(self) -> dict[str, Any]:
        """River's trees as arrays."""
        river, nodes = self.river, [heap(tree) for tree in self.river.trees]
        inner = 2**river.height - 1
        return {
            "shape": np.array([river.n_trees, river.height, river.window_size, river.counter]),
            "feature": np.array([[node.feature for node in tree[:inner]] for tree in nodes], np.int64),
            "split": np.array([[node.threshold for node in tree[:inner]] for tree in nodes]),
            "masses": np.array([[(node.l_mass, node.r_mass) for node in tree] for tree in nodes], np.int64),
        }

    def restore_learned(self, state: dict[str, Any]) -> None:
        """Go on from `learned`; from nothing when there is none, or one over other inputs."""
        if bytes(state.get("inputs", b"")).decode() != "\0".join(NAMES):
            return
        self.trees = UNKNOWN._replace(**{name: state[name] for name in _SHOWN}, known=int(state["known"][0]))
        self._river, self._resting = None, {name: state[name] for name in ("shape", *_NODES)}
        if self._learning:
            self._wake()

    def days(self) -> dict[str, Any]:
        """The sampled customer-days, as arrays."""
        return {"sample": self.sample, **self.day._asdict()}

    def restore_days(self, state: dict[str, Any]) -> None:
        """Go on from `days`."""
        if state and state["sample"].shape[1] == len(INPUTS) and len(state["keys"]) == len(self.day.keys):
            self.sample = np.array(state["sample"], np.float64)
            self.day = Day(*(np.array(state[field]) for field in Day._fields))


def ungrown(settings: LearningSettings) -> dict[str, Any]:
    """Of River's trees before they learned anything: their number and height, the window, how much of it was seen; no nodes."""
    shape = np.array([settings.anomaly_trees, settings.anomaly_height, settings.anomaly_window, 0])
    return {"shape": shape, "feature": np.zeros(0, np.int64), "split": np.zeros(0), "masses": np.zeros(0, np.int64)}


def _fill(tree: Any, features: list[int], splits: list[float], masses: list[list[int]]) -> None:
    """Make a tree of River what it was."""
    nodes = heap(tree)
    for node, (l_mass, r_mass) in zip(nodes, masses, strict=True):
        node.l_mass, node.r_mass = l_mass, r_mass
    for node, feature, split in zip(nodes, features, splits, strict=False):  # leaves ask nothing
        node.feature, node.threshold = feature, split


def heap(tree: Any) -> list[Any]:
    """All nodes of a perfect tree of River, level by level."""
    nodes = [tree]
    for node in nodes:
        nodes.extend(getattr(node, "children", ()))
    return nodes
