"""All detectors by name. A new one: its file, a line here, and the contract suite runs on it."""

from __future__ import annotations

from typing import Final

from detectors import (
    anomaly,
    bill_shock,
    complaint_pressure,
    contract_end,
    dissatisfaction,
    leaving,
    network_pain,
    payment_stress,
    plan_misfit,
    price_change,
    service_friction,
    silence,
    suspension,
    usage_collapse,
)
from detectors.base import Detector

DETECTORS: Final[dict[str, Detector]] = {
    detector.name: detector
    for detector in (
        usage_collapse.DETECTOR,
        silence.DETECTOR,
        network_pain.DETECTOR,
        bill_shock.DETECTOR,
        payment_stress.DETECTOR,
        suspension.DETECTOR,
        complaint_pressure.DETECTOR,
        dissatisfaction.DETECTOR,
        service_friction.DETECTOR,
        contract_end.DETECTOR,
        plan_misfit.DETECTOR,
        price_change.DETECTOR,
        leaving.DETECTOR,
        anomaly.DETECTOR,
    )
}
