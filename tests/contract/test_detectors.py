"""What every detector keeps, whatever it looks at. A new detector is in here by being in the registry."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import examples

import detectors
from detectors.base import Detector
from detectors.columns import Columns
from detectors.features import CATALOGUE
from detectors.registry import DETECTORS
from events.codes import CAUSES

ALL = sorted(DETECTORS)
EXTREMES = (np.nan, 0.0, -1.0, 1e-9, 0.5, 1.0, 2.0, 30.0, 1e12)

# Evidence that must not weaken the signal when it grows, all else as it is.
RISING = {
    "usage_collapse": ("usage_cusum",),
    "silence": ("silence_ratio",),
    "network_pain": ("trouble_rate_7d", "trouble_rate_30d", "dropped_7d", "failed_7d", "dropped_30d", "failed_30d"),
    "bill_shock": ("bill_vs_own",),
    "payment_stress": ("overdue_days", "bills_open"),
    "suspension": (),
    "complaint_pressure": ("complaints_30d", "complaints_90d", "complaints_reopened_90d", "complaints_escalated"),
    "dissatisfaction": ("unsatisfied_90d",),
    "service_friction": ("contacts_30d", "transfers_30d", "contacts_unresolved_30d", "wait_minutes_mean_30d"),
    "contract_end": (),
    "plan_misfit": ("better_plan_saving", "overage_share"),
    "price_change": ("fee_change",),
    "leaving": (),
    "anomaly": ("anomaly",),
}
FALLING = {
    "usage_collapse": ("usage_7d_vs_peers",),
    "suspension": ("days_since_suspended",),
    "dissatisfaction": ("survey_last",),
    "payment_stress": ("balance",),
    "price_change": ("days_since_price_rise",),
    "bill_shock": ("days_since_bill",),
    "leaving": ("porting_queried_days", "porting_requested_days", "cancellation_requested_days"),
}
NAN = float("nan")
# (what is known, what the detector says); what is not named is unknown.
GOLDEN = {
    "usage_collapse": [
        ({"usage_7d_vs_peers": 0.4, "usage_cusum": 0.7}, 2.0),
        ({"usage_7d_vs_peers": 0.9, "usage_cusum": 0.7}, 0.0),
        ({"usage_cusum": 0.7}, NAN),
    ],
    "silence": [({"silence_ratio": 1.5}, 1.5), ({}, NAN)],
    "network_pain": [
        ({"trouble_rate_7d": 0.3, "dropped_7d": 5.0, "failed_7d": 3.0, "dropped_30d": 5.0, "failed_30d": 3.0}, 2.0),
        ({"trouble_rate_7d": 0.3, "dropped_7d": 2.0, "failed_7d": 1.0}, 0.0),
        ({}, NAN),
    ],
    "bill_shock": [
        ({"bill_vs_own": 2.0, "bill_amount": 200.0, "bill_normal": 100.0, "days_since_bill": 2.0}, 2.0),
        ({"bill_vs_own": 2.0, "bill_amount": 200.0, "bill_normal": 100.0, "days_since_bill": 40.0}, 0.0),
        ({}, NAN),
    ],
    "payment_stress": [
        ({"overdue_days": 20.0, "bills_open": 1.0}, 1.0),
        ({"overdue_days": 20.0, "bills_open": 3.0}, 1.6),
        ({"balance": -3.0}, 0.4),
        ({"days_since_payment_reversed": 2.0}, NAN),
    ],
    "suspension": [
        ({"line_status": 1.0, "suspended_as": 0.0, "days_since_suspended": 3.0}, 1.0),
        ({"line_status": 0.0, "suspended_as": 2.0, "days_since_suspended": 30.0}, 0.5),
        ({"line_status": 4.0, "suspended_as": 3.0, "days_since_suspended": 30.0}, 0.0),
        ({"line_status": 0.0}, 0.0),
        ({}, 0.0),
    ],
    "complaint_pressure": [
        ({"complaints_30d": 1.0, "complaints_90d": 1.0, "complaints_open": 1.0, "complaint_open_days": 0.0}, 0.4),
        ({}, NAN),
    ],
    "dissatisfaction": [
        ({"survey_last": 0.25, "days_since_survey": 3.0}, 1.0),
        ({"survey_last": 0.9, "days_since_survey": 3.0, "unsatisfied_90d": 2.0}, 1.2),
        ({"survey_last": 0.0, "days_since_survey": 90.0}, NAN),
    ],
    "service_friction": [
        ({"contacts_30d": 2.0, "transfers_30d": 2.0, "contacts_unresolved_30d": 2.0}, 0.7),
        ({}, NAN),
    ],
    "contract_end": [
        ({"months_to_contract_end": 0.5}, 1.0),
        ({"months_to_contract_end": 2.25}, 0.5),
        ({"months_to_contract_end": 12.0}, 0.0),
        ({"months_to_contract_end": -1.0}, 1.0),
        ({"months_to_contract_end": -7.0}, 0.0),
        ({}, 0.0),
    ],
    "plan_misfit": [
        ({"data_allowance_used": 1.6}, 2.0),
        ({"data_allowance_used": 0.1, "minutes_allowance_used": 0.2, "better_plan_saving": 0.7}, 2.0),
        ({"data_allowance_used": 0.1, "minutes_allowance_used": 0.9, "better_plan_saving": 0.7}, 0.0),
        ({"data_allowance_used": 0.1, "better_plan_saving": 0.7, "usage_7d_vs_own": 0.3}, 0.0),
        ({"overage_share": 0.3, "days_since_bill": 4.0}, 1.0),
        ({}, NAN),
    ],
    "price_change": [
        ({"fee_change": 0.2, "days_since_price_rise": 4.0, "plan_changed_by": 1.0}, 2.0),
        ({"fee_change": 0.2, "days_since_price_rise": 4.0, "plan_changed_by": 0.0}, 0.0),
        ({"fee_change": -0.2, "days_since_price_rise": 4.0}, 0.0),
        ({}, 0.0),
    ],
    "leaving": [
        ({"porting_queried_days": 1.0}, 1.0),
        ({"porting_requested_days": 6.0, "porting_code_live": 0.0}, 2.0),  # the code has expired: the wish has not
        ({"cancellation_requested_days": 0.0}, 2.0),
        ({}, 0.0),
    ],
    "anomaly": [
        ({"anomaly": 0.995}, 1.0),
        ({"anomaly": 0.99}, 0.5),
        ({"anomaly": 1.0}, 3.0),
        ({}, NAN),
    ],
}


def asked(detector: Detector) -> set[str]:
    """Every feature the detector looks at, its evidence and what it uses beside."""
    table = Table({}, 1)
    speak(detector, table)
    return table.asked


class Table(Columns):
    """Columns of given features; every other feature of the catalogue is unknown."""

    def __init__(self, values: dict[str, np.ndarray], rows: int) -> None:
        super().__init__({}, {}, rows)
        self.values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        assert name in CATALOGUE, f"no feature {name}"
        self.asked.add(name)
        return self.values.get(name, np.full(self.rows, np.nan))


def speak(detector: Detector, table: Table) -> np.ndarray:
    with np.errstate(all="ignore"):
        return detector.strength(table, detector.params)


def one(detector: Detector, values: dict[str, float]) -> float:
    return float(speak(detector, Table({name: np.array([value]) for name, value in values.items()}, 1))[0])


def tables(detector: Detector) -> st.SearchStrategy[dict[str, list[float]]]:
    number = st.one_of(st.sampled_from(EXTREMES), st.floats(-10, 400, width=32))
    names = sorted(asked(detector))
    return st.integers(1, 12).flatmap(
        lambda rows: st.fixed_dictionaries({name: st.lists(number, min_size=rows, max_size=rows) for name in names})
    )


def test_every_file_with_a_detector_is_registered_and_the_reverse():
    files = {
        module.name
        for module in pkgutil.iter_modules(detectors.__path__)
        if hasattr(importlib.import_module(f"detectors.{module.name}"), "DETECTOR")
    }
    assert files == set(DETECTORS)
    for name in files:
        assert importlib.import_module(f"detectors.{name}").DETECTOR is DETECTORS[name]
        assert DETECTORS[name].name == name


def test_every_detector_is_pinned_here():
    assert set(GOLDEN) == set(RISING) == set(DETECTORS)


@pytest.mark.parametrize("name", ALL)
def test_speaks_both_languages_of_causes_and_features_that_exist(name):
    detector = DETECTORS[name]
    assert detector.en.isascii()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in detector.zh)
    assert detector.causes
    assert set(detector.causes) <= set(CAUSES) - {"unknown"}
    assert detector.features
    assert set(detector.features) <= set(CATALOGUE)
    assert detector.features[0] in asked(detector)  # the first piece of evidence is looked at
    assert all(value > 0 for value in detector.params.values())


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_finite_or_unknown_never_below_nothing_and_row_by_row(name, data):
    detector = DETECTORS[name]
    values = {key: np.array(column) for key, column in data.draw(tables(detector)).items()}
    rows = len(next(iter(values.values())))
    before = {key: column.copy() for key, column in values.items()}
    whole = speak(detector, Table(values, rows))
    assert whole.shape == (rows,)
    assert whole.dtype == np.float64
    known = whole[~np.isnan(whole)]
    assert np.all((known >= 0) & (known <= 3.0))
    again = speak(detector, Table(values, rows))
    cut = data.draw(st.integers(0, rows))
    parts = [{key: column[s] for key, column in values.items()} for s in (slice(0, cut), slice(cut, rows))]
    split = np.concatenate([speak(detector, Table(part, len(next(iter(part.values()))))) for part in parts])
    assert whole.tobytes() == again.tobytes()
    assert np.array_equal(whole, split, equal_nan=True)  # a zero may differ in sign, nothing else
    assert all(before[key].tobytes() == values[key].tobytes() for key in values)


@pytest.mark.parametrize(
    ("name", "feature", "sign"),
    [(name, feature, 1.0) for name, features in RISING.items() for feature in features]
    + [(name, feature, -1.0) for name, features in FALLING.items() for feature in features],
)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_more_evidence_never_says_less(name, feature, sign, data):
    detector = DETECTORS[name]
    number = st.floats(0, 100, width=32)
    row = {key: data.draw(st.one_of(st.just(NAN), number)) for key in sorted(asked(detector))}
    low, high = sorted((data.draw(number), data.draw(number)))
    less, more = (low, high) if sign > 0 else (high, low)
    weaker, stronger = one(detector, {**row, feature: less}), one(detector, {**row, feature: more})
    assert np.isnan(weaker) or np.isnan(stronger) or stronger >= weaker - 1e-9


@pytest.mark.parametrize("name", ALL)
def test_golden_values(name):
    detector = DETECTORS[name]
    for values, says in GOLDEN[name]:
        assert set(values) <= set(CATALOGUE)
        assert one(detector, values) == pytest.approx(says, nan_ok=True), values


@pytest.mark.parametrize("name", ALL)
def test_unknown_everywhere_is_unknown_or_nothing(name):
    says = one(DETECTORS[name], {})
    assert says == 0.0 or np.isnan(says)
