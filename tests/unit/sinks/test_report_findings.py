"""The numbers of the report against a history worked out by hand."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import msgspec
import numpy as np
import pytest

from events.codes import Kind
from rules.ledger import Ledger
from rules.outcomes import EpisodeLog, Leaver
from sinks.report.findings import findings
from sinks.report.population import Population
from sinks.report.quality import effect


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made = load("report_history")


def test_warnings_are_counted_once_by_each_property() -> None:
    found = findings(made.history(), None, None, None)
    warnings = found["warnings"]
    assert (warnings["count"], warnings["held_out"]) == (4, 1)
    assert {tier: one["warnings"] for tier, one in warnings["by_tier"].items()} == {"watch": 3, "critical": 1}
    assert {rule: one["warnings"] for rule, one in warnings["by_rule"].items()} == {
        "usage-collapse": 4,
        "complaints": 1,
    }
    assert warnings["by_cause"]["network"] == {"warnings": 1, "matured": 1, "churned": 1, "precision": 1.0}
    assert warnings["by_cause"]["care"] == {"warnings": 3, "matured": 2, "churned": 1, "precision": 0.5}
    assert {region: one["warnings"] for region, one in warnings["by_region"].items()} == {"unknown": 3, "north": 1}
    assert warnings["by_value_class"]["high"]["warnings"] == 4
    days = found["per_day"]["tier"]
    assert len(days) == 60
    assert days["2026-01-11"] == {"critical": 1, "watch": 2}
    assert days["2026-01-12"] == {}
    assert found["ended"] == {"churned": 1, "open": 3}


def test_precision_recall_and_lead_treated_and_held_out_apart() -> None:
    outcomes = findings(made.history(), None, None, None)["outcomes"]
    watch, critical = outcomes["watch"], outcomes["critical"]
    assert (watch["episodes"], watch["matured"], watch["churned"], watch["precision"]) == (3, 2, 1, 0.5)
    assert watch["recall"] == 1 / 2  # 0 of 0 and 2: 4 was held out
    assert watch["median_lead_days"] == 10
    assert (critical["episodes"], critical["precision"], critical["median_lead_days"]) == (1, 1.0, 8)
    held_out = watch["held_out"]
    assert (held_out["episodes"], held_out["precision"], held_out["median_lead_days"]) == (1, 1.0, 20)
    assert held_out["recall"] == 1.0
    assert critical["held_out"]["recall"] == 0.0  # warned of, but never at this tier
    assert watch["effect"]["fewer"] == 0.5
    assert watch["effect"]["low"] < 0 < watch["effect"]["high"]
    assert critical["effect"] is None


def test_these_are_the_figures_of_a_replay_when_the_period_is_all_there_is() -> None:
    history = made.history()
    plain = history.log.outcomes(history.end, 30 * made.DAY)
    outcomes = findings(history, None, None, None)["outcomes"]
    for tier, figures in plain.items():
        assert {key: outcomes[tier][key] for key in figures if key != "held_out"} == {
            key: figures[key] for key in figures if key != "held_out"
        }
        assert outcomes[tier]["held_out"] == figures["held_out"]


def test_the_other_dummy_warns_of_every_open_complaint() -> None:
    """0 complained on the days 5 (settled the day after) and 33, 1 on day 34; 0 left on day 20."""
    dummy = findings(made.history(), None, None, None)["dummies"]["every_open_complaint"]
    assert dummy == {
        "episodes": 3, "matured": 1, "churned": 1, "precision": 1.0, "recall": pytest.approx(1 / 3), "median_lead_days": 15,
    }  # fmt: skip
    later = findings(made.history(), dt.date(2026, 2, 1), None, None)["dummies"]["every_open_complaint"]
    assert (later["episodes"], later["recall"]) == (2, 0.0)
    history = made.history()
    history.log.leavers.clear()
    assert findings(history, None, None, None)["dummies"] is None


def test_a_second_complaint_beside_an_open_one_is_no_second_warning() -> None:
    kept = Ledger(0)
    day, opened = 86_400_000_000, Kind.COMPLAINT_OPENED
    for kind, ref, code, at in (
        (opened, 1, 0, 1), (opened, 2, 0, 2), (Kind.COMPLAINT_RESOLVED, 1, 0, 3), (opened, 3, 0, 4),
        (Kind.COMPLAINT_RESOLVED, 2, 0, 5), (Kind.COMPLAINT_UPDATED, 3, 0, 5), (Kind.COMPLAINT_RESOLVED, 3, 0, 6),
        (Kind.COMPLAINT_UPDATED, 3, 1, 7), (opened, 3, 0, 8),
    ):  # fmt: skip
        event = made.fact(kind, 0, ref=ref, a=code, clock=at * day)
        kept.facts(event, np.array([5], np.int32), [None])
        again = Ledger(0)
        again.restore(kept.snapshot())
        kept = again
    assert kept.complained == [(5, day), (5, 7 * day)]


def test_causes_named_and_leads() -> None:
    found = findings(made.history(), None, None, None)
    assert found["lead_days"] == [10, 20]
    assert found["causes_named"] == {"known": 1, "right": 1, "share": 1.0, "always_the_commonest": 1.0}


def test_a_period_keeps_to_its_days_but_knows_what_came_later() -> None:
    found = findings(made.history(), dt.date(2026, 1, 1), dt.date(2026, 1, 15), None)
    assert found["warnings"]["count"] == 3
    assert found["outcomes"]["watch"]["precision"] == 0.5  # left on the 21st, which is known by now
    assert found["outcomes"]["watch"]["recall"] is None  # nobody left within the period
    later = findings(made.history(), dt.date(2026, 1, 16), None, None)
    assert later["warnings"]["count"] == 1
    assert later["outcomes"]["watch"]["recall"] == 1 / 2  # a warning before the period counts
    assert later["period"]["counted_since"] == "2026-01-01"


def test_customers_and_retention() -> None:
    found = findings(made.history(), None, None, None)
    assert found["customers"] == {
        "at_start": 0, "at_end": 7, "first_seen": 10, "left_voluntarily": 3, "left_otherwise": 1, "returned": 1,
    }  # fmt: skip
    [february, march] = found["retention"]["months"]
    assert (february["month"], february["whole"], february["at_start"], february["kept"]) == ("2026-02", True, 7, 6)
    assert march["month"] == "2026-03"
    assert march["whole"] is False
    [cohort] = found["retention"]["cohorts"]
    assert cohort == {"month": "2026-01", "size": 10, "kept": [0.7, 0.7, 0.7]}  # one left in February, one came back


def test_complaints_satisfaction_and_care() -> None:
    found = findings(made.history(), None, None, None)
    complaints = found["complaints"]
    assert complaints["by_cause_and_region"] == {"network": {"north": 2}, "unknown": {"unknown": 1}}
    assert [one["complaints"] for one in complaints["months"]] == [1, 2, 0]
    assert complaints["months"][0]["per_1000"] == pytest.approx(1000 / 7)
    january = found["satisfaction"][0]
    assert january["csat"] == {"answers": 1, "mean": 0.25}
    assert january["nps"] == {"answers": 3, "mean": pytest.approx(1 / 3)}
    assert january["resolved"] == {"answers": 2, "mean": 0.5}
    assert january["ces"] == {"answers": 0, "mean": None}
    assert found["care"] == {"contacted": 1, "declined": 1}
    assert found["incidents"] == {"raised": [], "faults_reported": 1}


def test_incidents_are_known_by_their_newest_revision() -> None:
    history = made.history()
    one = {
        "incident_id": "i1", "revision": 1, "status": "opened", "kind": "network", "scope": "cell 7",
        "started_at": "2026-01-10T00:00:00Z", "customers": 40, "high_value": 3,
    }  # fmt: skip
    history.ledger.warned_of([one])
    history.ledger.warned_of([one | {"revision": 2, "status": "resolved", "customers": 50}])
    [seen] = findings(history, None, None, None)["incidents"]["raised"]
    assert (seen["status"], seen["customers"]) == ("resolved", 50)
    assert findings(history, dt.date(2026, 2, 1), None, None)["incidents"]["raised"] == []


def test_without_outcomes_nothing_is_claimed() -> None:
    history = made.history()
    history.log.leavers.clear()
    found = findings(history, None, None, None)
    assert found["outcomes"] is None
    assert "precision" not in found["warnings"]["by_cause"]["care"]


def test_a_period_without_a_counted_day_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-01-01 to 2026-03-01"):
        findings(made.history(), dt.date(2027, 1, 1), None, None)
    empty = made.history()._replace(ledger=Ledger(0))
    with pytest.raises(ValueError, match="nothing"):
        findings(empty, None, None, None)


def test_the_random_dummy_has_the_base_rate() -> None:
    log = EpisodeLog(("watch",))
    days = range(100)
    for customer in range(1000):
        log.raised(customer, 0, made.noon(customer % 60), False)
        if customer % 10 == 0:
            log.left(Leaver(customer, made.noon(90), True))
    history = made.history()._replace(log=log, first_seen=np.full(1000, made.noon(0)), end=made.noon(days[-1]))
    dummy = findings(history, None, None, None)["outcomes"]["watch"]["at_random"]
    # Those drawn on the days 60 and later may leave within the horizon; none is, so the rest is nobody's.
    assert dummy["precision"] == pytest.approx(0.0, abs=0.005)
    log.leavers[:] = [leaver._replace(at=made.noon(65)) for leaver in log.leavers]
    dummy = findings(history, None, None, None)["outcomes"]["watch"]["at_random"]
    assert dummy["precision"] == pytest.approx(0.1 * 25 / 60, abs=0.01)


def test_nobody_is_drawn_who_had_left_or_was_not_there_yet() -> None:
    first_seen = np.array([10, 10, 30, 0], np.int64)
    population = Population(first_seen, [Leaver(0, 15, True)], [(0, 25)])
    chance = np.random.default_rng(1)
    assert set(population.drawn(np.full(50, 12, np.int64), chance).tolist()) == {0, 1}
    assert set(population.drawn(np.full(50, 35, np.int64), chance).tolist()) == {0, 1, 2}
    assert set(population.drawn(np.full(5, 5, np.int64), chance).tolist()) == {-1}
    assert population.present(16).tolist() == [False, True, False, False]
    assert population.present(26).tolist() == [True, True, False, False]


def test_what_is_saved_goes_on_as_it_was() -> None:
    history = made.history()
    ledger = Ledger(made.OFFSET)
    ledger.restore(history.ledger.snapshot())
    log = EpisodeLog(made.TIERS)
    log.restore(msgspec.json.decode(msgspec.json.encode(history.log.snapshot())))
    again = findings(history._replace(ledger=ledger, log=log), None, None, None)
    assert again == findings(history, None, None, None)
    json.dumps(again)
    with pytest.raises(ValueError, match="episodes"):
        log.restore([[[1, 2]], [], []])


def test_the_effect_needs_both_groups_and_is_less_sure_of_small_ones() -> None:
    few = effect({"matured": 10, "churned": 1}, {"matured": 10, "churned": 4})
    many = effect({"matured": 1000, "churned": 100}, {"matured": 1000, "churned": 400})
    assert few is not None
    assert many is not None
    assert few["fewer"] == many["fewer"] == pytest.approx(0.3)
    assert few["low"] < 0 < many["low"]
    assert effect({"matured": 0, "churned": 0}, {"matured": 10, "churned": 4}) is None
