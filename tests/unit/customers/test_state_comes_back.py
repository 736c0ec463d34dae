"""Customers that were written to a file, in this layout and in the one before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from customers.state import ROW, UNKNOWN, Customers
from streams.checkpoint import read_state, write_state

MANY = 3_000


def some() -> Customers:
    made, random = Customers(rule_words=2), np.random.default_rng(5)
    made.ensure(MANY, 10)
    made.count = MANY
    made.records["times"] = random.integers(0, 10**15, made.records["times"].shape)
    made.records["tiny"] = random.integers(0, 255, made.records["tiny"].shape)
    made.widen_attributes(3)
    made.attributes[:MANY] = random.random((MANY, made.attributes.shape[1]))
    made.bits[:MANY] = random.integers(0, 2**63, (MANY, made.bits.shape[1]))
    return made


def from_file(state: dict[str, Any], file: Path) -> dict[str, Any]:
    with file.open("wb") as out:
        write_state(out, state)
    return read_state(file)


def same(one: Customers, other: Customers) -> bool:
    ours, theirs = one.snapshot(), other.snapshot()
    return ours.keys() == theirs.keys() and all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


def test_records_of_a_file_become_the_customers_without_a_copy(tmp_path: Path) -> None:
    made, again = some(), Customers(rule_words=2)
    parts = from_file(made.snapshot(), tmp_path / "state")
    again.restore(parts)
    assert np.shares_memory(again.records, parts["records"])
    assert again.records.dtype.isalignedstruct
    assert same(made, again)
    again.ensure(2 * MANY, 10)  # and they grow
    assert again.records[MANY:].tobytes() == UNKNOWN.tobytes() * (len(again.records) - MANY)
    assert again.records[:MANY].tobytes() == made.records[:MANY].tobytes()


def test_a_snapshot_that_is_no_file_s_stays_what_it_is() -> None:
    made = some()
    parts, again = made.snapshot(), Customers(rule_words=2)
    again.restore(parts)
    assert same(made, again)
    assert not np.shares_memory(again.records, made.records)


def test_a_copy_becomes_the_customers_of_one_and_of_no_other() -> None:
    made, again = some(), Customers(rule_words=2)
    parts = {name: part.copy() for name, part in made.snapshot().items()}
    again.restore(parts)
    assert same(made, again)
    with pytest.raises(ValueError, match="taken over"):
        Customers(rule_words=2).restore(parts)


def test_records_that_lie_otherwise_are_refused() -> None:
    parts = some().snapshot() | {"layout": np.zeros(3, np.uint8)}
    with pytest.raises(ValueError, match="lies otherwise"):
        Customers(rule_words=2).restore(parts)


def test_blocks_that_lie_apart_are_read_as_well(tmp_path: Path) -> None:
    made, again = some(), Customers(rule_words=2)
    parts = dict(made.snapshot())
    records = parts.pop("records").view(ROW)[:, 0]
    blocks = {name: records[name] for name in ROW.names or ()}
    again.restore(from_file(blocks | parts, tmp_path / "state"))
    assert same(made, again)
