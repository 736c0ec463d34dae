"""Undeclared attributes are numbered in bounded memory."""

from customers.profiles import CATEGORY_MOST, Attributes, Collected


def numbers_of(attributes: Attributes) -> list[float]:
    found = Collected()
    for k in range(1000):
        attributes.collect("city", f"town {k}", found)
    return found.values.tolist()


def test_texts_beyond_the_most_share_the_last_number_and_take_no_room() -> None:
    attributes, again = Attributes(), Attributes()
    numbers = numbers_of(attributes)
    assert numbers == [min(k, CATEGORY_MOST - 1) for k in range(1000)]
    assert len(attributes.values["city"]) == CATEGORY_MOST
    again.restore(attributes.snapshot())
    assert numbers_of(again) == numbers
