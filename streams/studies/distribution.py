"""How the features of all customers are distributed at the end of some files."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from customers.layout import T
from detectors.catalogue import Feature
from engine.engine import Engine
from engine.observing import RowColumns

QUANTILES: Final = (0.01, 0.1, 0.5, 0.9, 0.99)
MOST_VALUES: Final = 5


def distributions(engine: Engine, at: int) -> dict[str, dict[str, Any]]:
    """By feature: the share of customers for whom it is known; quantiles of a number, shares of a category's values, the
    share of yes. `at` is the time to look at (µs UTC).
    """
    known = np.flatnonzero(engine.partition.customers.column("times", T["first_seen"]) > 0)
    features = tuple(engine.evaluation.definitions.features.values())
    columns: dict[str, list[npt.NDArray[np.float64]]] = {feature.name: [] for feature in features}
    for rows, count in engine.partition.look(known, at):
        engine.evaluation.judge(rows, count, learn=False)
        sheet = RowColumns(engine.evaluation, rows, count)
        with np.errstate(all="ignore"):
            for feature in features:
                columns[feature.name].append(np.array(sheet[feature.name], np.float64))
    return {
        feature.name: _of_feature(engine, feature, np.concatenate(columns[feature.name] or [np.zeros(0)]))
        for feature in features
    }


def _of_feature(engine: Engine, feature: Feature, column: npt.NDArray[np.float64]) -> dict[str, Any]:
    told = column[~np.isnan(column)]
    found: dict[str, Any] = {"customers": len(column), "known": len(told) / len(column) if len(column) else 0.0}
    if not len(told):
        return found
    if feature.kind == "bool":
        return found | {"yes": float(np.mean(told > 0))}
    if feature.kind == "category":
        values, counts = np.unique(told, return_counts=True)
        first = np.argsort(-counts, kind="stable")[:MOST_VALUES]
        shares = {
            engine.evaluation.definitions.text(feature.name, float(values[k])) or "?": float(counts[k] / len(told))
            for k in first
        }
        return found | {"values": shares}
    places = [float(f"{one:.4g}") for one in np.quantile(told, QUANTILES)]
    return found | {"quantiles": dict(zip(map(str, QUANTILES), places, strict=True))}


def short(found: dict[str, Any]) -> str:
    """A distribution in a few words."""
    if "quantiles" in found:
        low, tenth, middle, ninth, high = found["quantiles"].values()
        said = f"{low:g} | {tenth:g} | {middle:g} | {ninth:g} | {high:g}"
    elif "values" in found:
        said = ", ".join(f"{value} {share:.0%}" for value, share in found["values"].items())
    elif "yes" in found:
        said = f"yes {found['yes']:.1%}"
    else:
        return "not known of anybody"
    return f"{said} (known {found['known']:.0%})"
