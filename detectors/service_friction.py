"""Getting something done takes too much: contacts that settle nothing, being handed on, waiting, steps."""

from __future__ import annotations

import numpy as np

from detectors.base import Detector, Params
from detectors.columns import Column, Columns


def _over(column: Column, usual: float) -> Column:
    """What is above the usual; 0 for unknown."""
    return np.where(column > usual, column - usual, 0.0)


def strength(m: Columns, p: Params) -> Column:
    """A weighted sum over the month; unknown while no contact of anyone was ever seen."""
    score = (
        p["unresolved"] * m["contacts_unresolved_30d"]
        + p["transfer"] * m["transfers_30d"]
        + p["contact"] * _over(m["contacts_30d"], p["usual_contacts"])
        + p["minute"] * _over(m["wait_minutes_mean_30d"], p["usual_minutes"])
        + p["step"] * _over(m["contact_steps_mean_30d"], p["usual_steps"])
    )
    return np.clip(score, 0.0, 3.0)


DETECTOR = Detector(
    "service_friction",
    "Getting something done takes the customer too much",
    "办理业务过程不顺",
    ("process",),
    ("contacts_unresolved_30d", "transfers_30d", "wait_minutes_mean_30d", "contact_steps_mean_30d", "contacts_30d"),
    {
        "unresolved": 0.25,
        "transfer": 0.1,
        "contact": 0.1,
        "usual_contacts": 2.0,
        "minute": 0.03,
        "usual_minutes": 5.0,
        "step": 0.06,
        "usual_steps": 4.0,
    },
    strength,
)
