"""Undeclared attributes are numbered in bounded memory."""

from customers.profiles import CATEGORY_MOST, Attributes


def test_texts_beyond_the_most_share_the_last_number_and_take_no_room():
    attributes = Attributes()
    numbers = [attributes.setting("city", f"town {k}").value for k in range(1000)]
    assert numbers == [min(k, CATEGORY_MOST - 1) for k in range(1000)]
    assert len(attributes.values["city"]) == CATEGORY_MOST
    again = Attributes()
    again.restore(attributes.snapshot())
    assert [again.setting("city", f"town {k}").value for k in range(1000)] == numbers
