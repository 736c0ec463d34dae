"""All detectors by name. A new one: its file, a line here, and the contract suite runs on it."""

from __future__ import annotations

from typing import Final

from detectors import bill_shock, complaint_pressure, leaving, silence, usage_collapse
from detectors.base import Detector

DETECTORS: Final[dict[str, Detector]] = {
    detector.name: detector
    for detector in (
        usage_collapse.DETECTOR,
        silence.DETECTOR,
        complaint_pressure.DETECTOR,
        bill_shock.DETECTOR,
        leaving.DETECTOR,
    )
}
