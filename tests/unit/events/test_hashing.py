"""One hash for all ids: stable, the same everywhere, and spread."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from events.hashing import event_key, hash64, hash_texts


def test_values_are_kept_for_ever():
    # Saved state holds them: another value here makes every checkpoint unreadable.
    assert [hash64(text) for text in ("", "a", "12345678", "客户-0001")] == [
        0x6AE4947ECD406822,
        0x03DF25765ADC92C0,
        0x58545D797FE14608,
        0x61B46394BAAC54BB,
    ]


@settings(deadline=None)
@given(st.lists(st.none() | st.text(max_size=40)))
def test_a_column_hashes_as_its_texts_do(texts):
    assert hash_texts(texts).tolist() == [0 if text is None else hash64(text) for text in texts]


def test_the_end_of_a_text_does_not_look_at_its_neighbour():
    assert hash_texts(["abc", "defghijk"])[0] == hash_texts(["abc", "xyz"])[0] == hash64("abc")


def test_zeros_at_the_end_count():
    assert len({hash64("a" + "\0" * count) for count in range(20)}) == 20


def test_no_two_of_many_ids_meet_and_all_bits_are_used():
    hashes = hash_texts([f"customer-{number}" for number in range(200_000)])
    assert len(np.unique(hashes)) == len(hashes)
    assert 0 not in hashes
    for bit in range(64):
        ones = ((hashes >> np.uint64(bit)) & np.uint64(1)).mean()
        assert 0.49 < ones < 0.51


def test_a_changed_character_changes_half_of_the_bits():
    left = hash_texts([f"{number}-event" for number in range(20_000)])
    right = hash_texts([f"{number}-evenu" for number in range(20_000)])
    changed = np.array([int(value).bit_count() for value in left ^ right])
    assert 31.5 < changed.mean() < 32.5
    assert changed.min() > 8


def test_keys_tell_type_source_and_id_apart():
    one, two, none = np.uint64(hash64("one")), np.uint64(hash64("two")), np.uint64(0)
    keys = [event_key(kind, source, name) for kind in (0, 1) for source in (none, one, two) for name in (one, two)]
    assert len(set(map(int, keys))) == len(keys)
