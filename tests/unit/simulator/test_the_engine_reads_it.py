"""What the simulator writes, the engine's decoder takes without a dead letter."""

from __future__ import annotations

import json
from typing import Any

from events.decode import decode


def test_no_simulated_event_is_a_dead_letter(run: Any) -> None:
    some = [event for n, event in enumerate(run.events) if event["type"] != "usage.recorded" or n % 10 == 0]
    raw = "".join(json.dumps(event) + "\n" for event in some).encode()
    batch = decode(raw, "simulated", received_at="2026-11-01T00:00:00Z")
    assert not batch.dead
    assert len(batch.events) == len(some)
