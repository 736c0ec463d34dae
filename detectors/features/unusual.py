"""How unlike the customer's own weeks this one is, as the model that watches everybody's weeks finds it."""

from __future__ import annotations

from typing import Final

from detectors.catalogue import Feature, measure

ANOMALY: Final = "learned.anomaly"
"""The column in which the engine puts what the anomaly detector says."""

FEATURES: Final = (
    Feature(
        "anomaly",
        "ratio",
        "7d",
        "Share of customers' days that are less unusual, each against the customer's own normal",
        "异常程度:相对本人常态,不及其异常的客户日占比",
        ("care", "personal"),
        measure(ANOMALY),
        learned=False,
        sayable=False,
    ),
)
