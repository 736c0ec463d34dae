"""An engine's state as named arrays and bytes, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy.typing as npt

from engine.layouts import checked_layouts, layouts
from engine.parts import VERSION, Parts
from engine.reloading import Reloading
from engine.ticking import Ticking

Saved = dict[str, npt.NDArray[Any] | bytes]


def snapshot(parts: Parts, ticking: Ticking, reloading: Reloading) -> Saved:
    """As `Engine.snapshot`."""
    saved: Saved = {}
    for room, found in (
        ("partition", parts.partition.snapshot()),
        ("model", parts.model.snapshot()),
        ("decider", parts.decider.snapshot()),
        ("shadow", parts.shadow.snapshot()),
        ("watches", parts.watches.snapshot()),
    ):
        saved.update({f"{room}.{name}": part for name, part in found.items()})
    if parts.judge is not None:
        saved.update({f"judge.{name}": part for name, part in parts.judge.snapshot().items()})
    if parts.ledger is not None:
        saved["ledger"] = parts.ledger.snapshot()
    own = {
        "version": VERSION,
        "ticked": ticking.ticked,
        "outcome_at": ticking.outcome_at,
        "attributes": parts.evaluation.attributes,
        "layouts": layouts(),
    }
    saved["engine"] = msgspec.json.encode(own | reloading.saved())
    return saved


def restore(saved: Mapping[str, Any], parts: Parts, ticking: Ticking, reloading: Reloading) -> None:
    """As `Engine.restore`."""
    own = msgspec.json.decode(bytes(saved["engine"]))
    checked_layouts(own["layouts"])

    def of(room: str) -> dict[str, Any]:
        return {name[len(room) + 1 :]: part for name, part in saved.items() if name.startswith(room + ".")}

    reloading.hold_again(own)
    parts.partition.restore(of("partition"))
    parts.model.restore(of("model"))
    customers = parts.partition.customers
    carried = parts.decider.restore(of("decider"), customers.bits[: customers.count])
    customers.replace_bits(carried.bits)
    for customer in carried.customers:
        parts.wake(customer)
    parts.shadow.restore(of("shadow"))
    parts.watches.restore(of("watches"))
    if judge := of("judge"):
        parts.make_judge().restore(judge)
    if parts.ledger is not None and "ledger" in saved:
        parts.ledger.restore(bytes(saved["ledger"]))
    reloading.restore(own)
    ticking.ticked, ticking.outcome_at = int(own["ticked"]), int(own["outcome_at"])
    parts.evaluation.take_up(int(own["attributes"]))
