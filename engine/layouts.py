"""What lies where in a customer's state, by name, so that a state of another version is told apart before it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from customers import layout, metrics


def layouts() -> dict[str, list[str]]:
    """The fields of each part of the state, in order."""
    pools = {
        "bills": layout.BILL,
        "complaints": layout.COMPLAINT,
        "contracts": layout.CONTRACT,
        "facts that stand": layout.STAND,
        "notes": layout.NOTE,
    }
    return {
        "times": list(layout.TIMES),
        "ages": list(layout.AGES),
        "money": list(layout.MONEY),
        "floats": list(layout.FLOATS),
        "codes": list(layout.CODES),
        "labels": list(layout.LABELS),
        "heads": list(layout.HEADS),
        "stands": list(layout.STANDS),
        "feeds": list(metrics.FEEDS),
        "windows": [f"{ring.days}d of {ring.held} × {ring.width_us} µs" for ring in metrics.RINGS],
        "sums": [f"{one.name} {one.block} {one.scale} {one.windows}" for one in metrics.METRICS],
    } | {
        name: [f"{field} {dtype.fields[field][0]}" for field in dtype.names or () if dtype.fields is not None]
        for name, dtype in pools.items()
    }


def checked_layouts(then: Mapping[str, Sequence[str]]) -> None:
    """Raises ValueError, with the names that differ, for a state that lies otherwise."""
    differences = []
    for part, now in layouts().items():
        was = list(then.get(part, ()))
        if was != now:
            gone, new = [name for name in was if name not in now], [name for name in now if name not in was]
            said = [f"without {name}" for name in gone] + [f"with {name}" for name in new]
            differences.append(f"{part} ({', '.join(said) or 'in another order'})")
    if differences:
        raise ValueError(f"it was saved by a version that keeps other state; this one has {'; '.join(differences)}")
