"""Bytes are taken for UTF-8 exactly where Python decodes them."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from events.memory import PADDING, padded, valid_utf8

PIECES = [
    b"plain ascii ",
    "信号太差".encode(),
    "é😀".encode(),
    b"\x80",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe4\xbf",
]


@given(st.one_of(st.binary(max_size=40), st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join)))
@example("投诉".encode()[:-1])
@example(b"\xf0\x8f\xbf\xbf")
def test_valid_is_what_python_decodes(raw: bytes) -> None:
    try:
        raw.decode()
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert valid_utf8(padded(raw), len(raw)) == valid
    assert len(padded(raw)) == len(raw) + len(PADDING)
    assert padded(raw).dtype == np.uint8
