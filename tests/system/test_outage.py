"""An outage of a cell on the simulated operator: one incident, and hardly a warning because of it."""

from __future__ import annotations

import pytest

from benchmarks.outage import compare


@pytest.mark.slow
def test_an_outage_of_three_hundred_is_one_incident_and_not_three_hundred_warnings():
    found = compare(1_500, 300, 45, 7)
    assert found["incidents_of_its_cell"] == 1
    assert [one["status"] for one in found["incident"]] == ["opened", "resolved"]
    assert 250 <= found["incident"][0]["customers"] <= 300
    assert found["warnings_because"] <= 15
    assert found["warnings_because_held_rules"] <= 15
