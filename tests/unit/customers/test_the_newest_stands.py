"""Where a fact replaces another the newest (occurred_at, event_id) stands, whichever came first."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import batch
from support.profiles import examples

KEPT = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
# Pairs of facts of one field: (kind, what the older says, what the newer says, measure, its value after both).
PAIRS = [
    ("balance.reported", {"balance": 5}, {"balance": 7}, "balance", 7),
    ("balance.topped_up", {"amount": 1, "balance": 5}, {"amount": 1, "balance": 7}, "balance", 7),
    ("device.changed", {"supports_5g": True}, {"supports_5g": False}, "supports_5g", 0),
    ("survey.answered", {"survey": "csat", "score": 1}, {"survey": "csat", "score": 5}, "survey_last", 1),
    ("plan.changed", {"to_plan": "a"}, {"to_plan": "b"}, "plan", "b"),
    ("plan.changed", {"to_plan": "a", "fee_after": 9}, {"to_plan": "b", "fee_before": 9, "fee_after": 5}, "monthly_fee", 5),
    ("line.changed", {"status": "suspended_arrears"}, {"status": "active"}, "line_status", 0),
    ("customer.profiled", {"region": "n"}, {"region": "s"}, "region", "s"),
    ("customer.profiled", {"attributes": {"x": 1}}, {"attributes": {"x": 2}}, "attribute.x", 2),
    ("cancellation.requested", {"reason": "network"}, {"reason": "price"}, "cancellation_cause", None),
    ("porting.queried", {"eligible": True}, {"eligible": False}, "porting_eligible", 0),
    ("contract.signed", {"contract_id": "k", "term_months": 3}, {"contract_id": "k", "term_months": 9}, "contract_term", 9),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "older", "newer", "measure", "value"), PAIRS)
def test_a_late_fact_does_not_replace_a_newer_one(fact, state, kind, older, newer, measure, value):
    first, second = fact(3, kind, **older), fact(1, kind, **newer)
    late = state([second, first])
    assert late == state([first, second])
    assert value is None or late[measure] == value


@pytest.mark.parametrize(("kind", "older", "newer", "measure", "value"), PAIRS)
def test_of_equal_times_the_greater_event_id_stands(fact, state, kind, older, newer, measure, value):
    first, second = fact(3, kind, event_id="e1", **older), fact(3, kind, event_id="e2", **newer)
    late = state([second, first])
    assert late == state([first, second])
    assert value is None or late[measure] == value


def test_ids_that_begin_alike_are_told_apart_in_one_way(fact, state):
    facts = [fact(3, "plan.changed", event_id=f"plan-change-{k}", to_plan=f"p{k}") for k in range(6)]
    assert state(facts)["plan"] == state(facts[::-1])["plan"] == state(facts[3:] + facts[:3])["plan"]


def test_a_profile_and_a_change_of_plan_set_one_field(fact, state):
    profile, change = fact(3, "customer.profiled", plan="old", monthly_fee=9), fact(1, "plan.changed", to_plan="new")
    assert state([change, profile])["plan"] == "new"
    assert state([change, profile])["monthly_fee"] == 9
    change = change | {"occurred_at": fact(5, "x")["occurred_at"]}
    assert state([profile, change])["plan"] == "old"


def test_what_a_newer_profile_cleared_stays_cleared(fact, state):
    cleared = {"region": None, "monthly_fee": None, "kind": None, "since": None, "attributes": {"x": None}}
    full = {"region": "n", "monthly_fee": 9, "kind": "person", "since": "2020-01-01", "attributes": {"x": 1}}
    told = fact(4, "customer.profiled", customer_id="other", attributes={"x": 2})  # of what type x is
    after = state([told, fact(1, "customer.profiled", **cleared), fact(3, "customer.profiled", **full)])
    assert not {"region", "monthly_fee", "kind", "days_since_since", "attribute.x"} & after.keys()


def test_profiles_merge_field_by_field(fact, state):
    facts = [
        fact(5, "customer.profiled", region="n", segment="g"),
        fact(1, "customer.profiled", segment="h"),
        fact(3, "customer.profiled", region="s", segment="i"),
    ]
    after = state(facts)
    assert (after["region"], after["segment"]) == ("s", "h")


def test_an_end_from_before_a_request_does_not_undo_it(fact, state):
    after = state([fact(1, "porting.requested"), fact(3, "porting.ended", result="withdrawn")])
    assert after["days_since_porting_requested"] == 0
    assert "days_since_porting_ended" not in after


@pytest.mark.parametrize("result", ["expired", "withdrawn", "completed"])
def test_a_request_from_before_its_end_stays_ended(fact, state, result):
    after = state([fact(1, "porting.ended", result=result), fact(3, "porting.requested")])
    assert after["days_since_porting_ended"] == 0
    assert ("days_since_porting_requested" in after) == (result != "withdrawn")


def test_signs_of_leaving_from_before_a_return_are_void(fact, state):
    after = state([fact(1, "customer.returned"), fact(2, "porting.requested"), fact(2, "cancellation.requested")])
    assert not {"days_since_porting_requested", "days_since_cancellation_requested"} & after.keys()
    after = state([fact(1, "porting.requested"), fact(2, "customer.returned")])
    assert "days_since_porting_requested" in after


def test_a_late_transfer_makes_nobody_new(fact, state):
    after = state(
        [
            fact(9, "contract.signed"),
            fact(1, "line.changed", status="active"),
            fact(3, "line.changed", status="transferred"),
        ]
    )
    assert (after["contracts_running"], after["line_status"]) == (1, 0)


def test_facts_of_the_old_person_do_not_reach_the_new_one(fact, state):
    transfer = fact(3, "line.changed", status="transferred")
    after = state([transfer, fact(4, "customer.profiled", region="n"), fact(2, "customer.profiled", segment="g")])
    assert "region" not in after
    assert after["segment"] == "g"


@pytest.mark.parametrize(("named", "account"), [({"account_id": "new"}, "new"), ({}, None)])
def test_the_account_that_a_transfer_names_is_kept(fact, state, named, account):
    after = state(
        [
            fact(5, "balance.reported", balance=1, account_id="old"),
            fact(3, "line.changed", status="transferred", **named),
        ]
    )
    assert after.get("account") == account


def test_after_a_transfer_use_of_the_same_batch_names_the_account(fact, fold):
    made = fold([fact(5, "balance.reported", balance=1, account_id="old")])
    lines = [fact(3, "line.changed", status="transferred"), fact(-1, "usage.recorded", service="sms", account_id="new")]
    made.step(batch([msgspec.json.encode(line) for line in lines]), 0)
    assert made.names.account_id(made.partition.ids.find("c")) == "new"


def some_facts(fact):
    """Facts that replace one another, of the fields that do not learn from their order."""
    return [
        *(fact(days, "porting.requested") for days in (9, 6, 3)),
        *(fact(days, "porting.ended", result=result) for days, result in ((8, "withdrawn"), (5, "expired"), (4, "completed"))),
        fact(5.5, "porting.queried", eligible=True, blockers=["debt"]),
        fact(7, "customer.churned"),
        fact(6.5, "customer.returned"),
        *(fact(days, "balance.reported", balance=days) for days in (4, 2)),
        fact(3, "balance.topped_up", amount=10, balance=30),
        *(fact(days, "contract.signed", contract_id="k", monthly_fee=days, term_months=days) for days in (9, 5)),
        fact(7, "contract.ended", contract_id="k"),
        fact(4.5, "contract.signed", kind="plan", plan="p"),
        fact(4.4, "contract.signed", kind="device"),
        fact(4.45, "contract.ended"),
        *(fact(days, "plan.changed", to_plan=f"p{days}", fee_before=9, fee_after=days * 2) for days in (6, 4, 2)),
        *(fact(days, "customer.profiled", plan=f"q{days}", region=None if days == 3 else "n") for days in (5, 3)),
        *(fact(days, "line.changed", status=status) for days, status in ((6, "suspended_arrears"), (4, "closed"))),
        *(fact(days, "device.changed", supports_5g=days == 2) for days in (4, 2)),
        *(fact(days, "survey.answered", survey="nps", score=days, topic="price") for days in (1, 3)),
        fact(2, "complaint.opened", complaint_id="m", account_id="a2"),
        fact(3, "complaint.resolved", complaint_id="n", account_id="a1"),
    ]  # fmt: skip


@KEPT
@given(st.data())
def test_any_order_of_arrival_ends_in_the_same_state(fact, state, data):
    facts = data.draw(st.lists(st.sampled_from(some_facts(fact)), unique_by=str, min_size=2, max_size=9))
    order = data.draw(st.permutations(facts))
    assert state(sorted(facts, key=lambda each: each["occurred_at"])) == state(order)


def test_each_of_many_attributes_is_the_newest_by_itself(fact, state):
    names = [f"x{k}" for k in range(60)]  # more than lie beside the fields
    first = fact(9, "customer.profiled", customer_id="other", attributes=dict.fromkeys(names, 0))  # their columns
    old = fact(5, "customer.profiled", region="n", attributes=dict.fromkeys(names, 1))
    new = fact(1, "customer.profiled", attributes=dict.fromkeys(names[::2], 2))
    after = state([first, new, old])
    assert [after[f"attribute.{name}"] for name in names] == [2.0, 1.0] * 30
    assert after["region"] == "n"
    transfer = fact(3, "line.changed", status="transferred")
    late = state([first, transfer, new, old])
    assert [late.get(f"attribute.{name}") for name in names] == [2.0, None] * 30
