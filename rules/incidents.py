"""What an incident of the customer's cell has to do with warnings: which rules it holds, and how a warning names it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from detectors import network_pain, silence, usage_collapse
from detectors.features.usage import FEATURES as OF_USE
from rules.early_warning import WarningReason

_DETECTORS: Final = (usage_collapse.DETECTOR, silence.DETECTOR, network_pain.DETECTOR)
HELD_BY: Final = frozenset(
    {"signal." + detector.name for detector in _DETECTORS}
    | {feature for detector in _DETECTORS for feature in detector.features}
    | {feature.name for feature in OF_USE if "network" in feature.causes}
    | {"anomaly", "signal.anomaly"}
)
"""Signals and features that an outage by itself makes look like a leaver."""
_WEIGHT: Final = 0.5


def speaks_of_network(cause: str | None, features: Collection[str]) -> bool:
    """Whether a rule is held while an incident explains the network: by its cause, or by what its condition reads."""
    return cause == "network" or not HELD_BY.isdisjoint(features)


def incident_reason(incident_id: str) -> WarningReason:
    """The reason that names an open incident."""
    return WarningReason(
        "network_incident",
        "network",
        "incident_open",
        incident_id,
        None,
        _WEIGHT,
        {
            "en": f"A network incident is open where the customer lives (incident {incident_id})",
            "zh-CN": f"客户常驻基站正发生网络故障(事件{incident_id})",
        },
        True,
    )
