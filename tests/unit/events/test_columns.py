"""Batches taken apart and put together."""

import numpy as np

from events.columns import EVENT, concat, empty_batch
from events.decode import decode


def test_a_record_fills_two_cache_lines():
    assert EVENT.itemsize == 128


def decoded(name, *lines):
    return decode(b"\n".join(lines), name, received_at="now")


def test_concat_keeps_what_belongs_to_each_event(line):
    left = decoded("a", line(customer_id="a1"), b"?", line("customer.returned", customer_id="a2"))
    right = decoded("b", b"", line("customer.returned", customer_id="b1"), line(customer_id="b2"), b"?")
    whole = concat([left, empty_batch(), right])
    assert [whole.customer_id(index) for index in range(4)] == ["a1", "a2", "b1", "b2"]
    assert [whole.place(index) for index in range(4)] == ["a:1", "a:3", "b:2", "b:3"]
    assert whole.payload(3) == line(customer_id="b2")
    assert {index: fact.customer_id for index, fact in whole.facts.items()} == {1: "a2", 2: "b1"}
    assert [letter.source for letter in whole.dead] == ["a:2", "b:4"]
    assert whole.lines == left.lines + right.lines
    assert right.payload(1) == line(customer_id="b2")  # the parts are as they were
    assert right.customer_id(1) == "b2"


def test_take_moves_facts_along(line):
    batch = decoded("a", line(customer_id="0"), line("customer.returned", customer_id="1"), line(customer_id="2"))
    turned = batch.take(np.array([2, 1]))
    assert [turned.customer_id(index) for index in range(2)] == ["2", "1"]
    assert list(turned.facts) == [1]
    assert turned.place(0) == "a:3"


def test_concat_of_nothing_is_nothing():
    assert len(concat([])) == len(concat([empty_batch()])) == 0


def test_the_account_of_an_event_is_read_where_it_is_named(line):
    envelope = b'{"specversion":"1.0","id":"1","source":"s","data":' + line(account_id="e") + b"}"
    batch = decoded("a", line(), line(account_id="a"), line("customer.returned", account_id="f"), envelope)
    assert [batch.account_id(index) for index in range(4)] == [None, "a", "f", "e"]
