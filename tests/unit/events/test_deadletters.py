"""Dead letters are whole where they can be, and cut where they must."""

import base64

import msgspec
import pytest

from events.deadletters import MAX_PAYLOAD_BYTES, Reason, dead_letter


def letter(payload, full_length=None):
    made = dead_letter(Reason.NOT_JSON, "why", "f:1", "2024-03-01T00:00:00Z", payload, full_length)
    return msgspec.json.decode(msgspec.json.encode(made))


def test_the_contract_s_five_fields():
    assert letter(b"x") == {
        "reason": "not_json",
        "detail": "why",
        "source": "f:1",
        "received_at": "2024-03-01T00:00:00Z",
        "payload": "x",
    }


def test_what_is_no_text_is_base64():
    assert base64.b64decode(letter(b"a\xff\x00")["payload"]["base64"]) == b"a\xff\x00"


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_a_cut_does_not_go_through_a_character(extra):
    text = "x" * (MAX_PAYLOAD_BYTES - extra) + "客" * 10
    made = letter(text.encode())
    assert text.startswith(made["payload"])
    assert MAX_PAYLOAD_BYTES - 3 < len(made["payload"].encode()) <= MAX_PAYLOAD_BYTES
    assert made["truncated_from"] == len(text.encode())


def test_a_letter_of_a_beginning_tells_the_whole_length():
    assert letter(b"abc", 5_000_000)["truncated_from"] == 5_000_000


def test_half_a_character_at_the_end_of_a_whole_payload_is_kept():
    assert base64.b64decode(letter("客".encode()[:2])["payload"]["base64"]) == "客".encode()[:2]
