"""What a customer owes does not depend on the order in which bills, payments and corrections come."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.profiles import examples

DUE = "2024-05-25T00:00:00Z"
LATER = "2024-05-28T00:00:00Z"
KEPT = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))


def without(fact, field):
    return {name: value for name, value in fact.items() if name != field}


def owed(after):
    return after["overdue_amount"]


@pytest.fixture
def bill(fact):
    return lambda amount, name="b", due=DUE, days=9: fact(
        days, "bill.issued", bill_id=name, amount=amount, **({"due_at": due} if due else {})
    )


@pytest.fixture
def paid(fact):
    return lambda amount, days=5, **fields: fact(days, "payment.received", amount=amount, **fields)


@pytest.fixture
def adjusted(fact):
    return lambda amount, name="b": fact(4, "bill.adjusted", bill_id=name, amount=amount)


def test_a_payment_that_comes_before_its_bill_pays_it(state, bill, paid):
    assert owed(state([paid(30, bill_id="b"), bill(100)])) == 70
    assert owed(state([paid(100, bill_id="b"), bill(100)])) == 0


def test_money_that_names_a_bill_waits_for_it(state, bill, paid):
    after = state([bill(50, "first"), paid(100, bill_id="b"), bill(100, due=LATER)])
    assert owed(after) == 50
    assert after["overdue_days"] == 7.5


def test_too_much_is_kept_for_the_next_bill(state, bill, paid):
    assert owed(state([bill(100), paid(130, bill_id="b"), bill(50, "next")])) == 20
    assert owed(state([bill(100), paid(130), bill(50, "next")])) == 20
    assert owed(state([paid(130), bill(100), bill(50, "next")])) == 20


def test_a_credit_goes_to_the_oldest_due(state, bill):
    after = state([bill(100, due=LATER), bill(40, "old"), bill(-50, "credit", due=None)])
    assert owed(after) == 90
    assert after["overdue_days"] == 4.5
    assert owed(state([bill(-50, "credit"), bill(100)])) == 50


def test_adjustments_change_what_is_owed(state, bill, paid, adjusted):
    assert owed(state([bill(100), adjusted(20)])) == 120
    assert owed(state([bill(100), adjusted(-20)])) == 80
    assert owed(state([bill(100), paid(100), adjusted(20)])) == 20
    assert owed(state([bill(100), paid(100), adjusted(-20), bill(100, "next")])) == 80


@pytest.mark.parametrize("due", [DUE, None])
def test_a_surcharge_that_comes_before_its_credit_note_is_owed(state, bill, adjusted, due):
    assert owed(state([adjusted(30), bill(-10, due=due)])) == 20
    assert owed(state([bill(-10, due=due), adjusted(30)])) == 20


def test_a_surcharge_on_a_bill_without_a_due_date_is_owed(state, bill, adjusted):
    assert owed(state([adjusted(30), bill(100, due=None)])) == 30
    assert owed(state([bill(100, due=None), adjusted(30)])) == 30


def test_a_bill_issued_again_replaces_the_first(state, bill, paid):
    assert owed(state([bill(100), paid(30, bill_id="b"), bill(90, days=8)])) == 60
    assert owed(state([bill(90, days=8), paid(30, bill_id="b"), bill(100)])) == 60
    assert owed(state([bill(100), paid(100), bill(100, days=8)])) == 0


def test_a_bill_without_a_due_date_is_not_overdue_and_uses_up_its_payment(state, bill, paid):
    assert owed(state([bill(100, due=None), paid(100), bill(50, "next")])) == 50
    assert owed(state([paid(100), bill(100, due=None), bill(50, "next")])) == 50
    assert owed(state([bill(100, due=None), bill(50, "next"), paid(50)])) == 0


def test_money_that_waited_long_for_its_bill_pays_another(state, bill, paid):
    due = "2024-05-29T12:00:00Z"
    for days, left in ((95, 0), (85, 100)):
        early, later = paid(100, days=days, bill_id="never"), bill(100, days=3, due=due)
        assert owed(state([early, later, paid(0, days=0)], start=False)) == left


def test_a_payment_taken_back_is_owed_again(fact, state, bill, paid):
    back = fact(3, "payment.reversed", amount=100, bill_id="b")
    assert owed(state([bill(100), paid(100, bill_id="b"), back])) == 100
    assert owed(state([bill(100), paid(130), fact(3, "payment.reversed", amount=130)])) == 100


@KEPT
@given(st.data())
def test_in_any_order_the_same_is_owed(fact, state, data):
    amounts = st.integers(1, 20).map(lambda tens: tens * 10)
    facts = [fact(9, "bill.issued", bill_id="b", amount=data.draw(amounts), due_at=DUE)]
    kinds = ["payment.received", "payment.reversed", "bill.adjusted", "bill.adjusted"]
    for number, kind in enumerate(data.draw(st.lists(st.sampled_from(kinds), max_size=6))):
        sign = data.draw(st.sampled_from([1, -1])) if kind == "bill.adjusted" else 1
        facts.append(fact(5, kind, event_id=f"e{number}", bill_id="b", amount=sign * data.draw(amounts)))
    signs = {"payment.received": -1}
    total = sum(signs.get(each["type"], 1) * each["amount"] for each in facts)
    assert owed(state(data.draw(st.permutations(facts)))) == max(total, 0)


@KEPT
@given(st.data())
def test_with_several_bills_and_nameless_money_the_total_is_the_same(fact, state, data):
    amounts = st.integers(-5, 20).filter(bool).map(lambda tens: tens * 10)
    names = ["b1", "b2", "b3"]
    facts = [
        fact(9, "bill.issued", bill_id=name, amount=data.draw(amounts), due_at=DUE if name == "b1" else LATER)
        for name in data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    ]
    facts = [without(each, "due_at") if each["amount"] < 0 and data.draw(st.booleans()) else each for each in facts]
    billed = [each["bill_id"] for each in facts]
    for number in range(data.draw(st.integers(0, 5))):
        name = data.draw(st.sampled_from([*billed, None]))
        kind = "bill.adjusted" if name and data.draw(st.booleans()) else "payment.received"
        amount = data.draw(amounts) if kind == "bill.adjusted" else abs(data.draw(amounts))
        named = {"bill_id": name} if name else {}
        facts.append(fact(5, kind, event_id=f"e{number}", amount=amount, **named))
    total = sum((-1 if each["type"] == "payment.received" else 1) * each["amount"] for each in facts)
    assert owed(state(data.draw(st.permutations(facts)))) == max(total, 0)
