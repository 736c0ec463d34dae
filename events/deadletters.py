"""Bad input, kept: what was wrong, with which field, where it came from, and what it was."""

import base64
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

MAX_OBJECT_BYTES = 1_000_000
MAX_PAYLOAD_BYTES = 64_000


class Reason(StrEnum):
    """Why an input is no event."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_LATE = "too_late"
    IN_FUTURE = "in_future"
    TOO_LARGE = "too_large"
    FAILED = "failed"


class RefusedError(Exception):
    """Raised where a field is read that a struct could not judge."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class DeadLetter(Struct, frozen=True, gc=False):
    """One input that was refused. `payload` is its text, or `{"base64": ...}` where it is no UTF-8; a long one is
    cut, and `truncated_from` is its full length in bytes.
    """

    reason: str
    detail: str
    source: str
    received_at: str
    payload: str | dict[str, str]
    truncated_from: int | UnsetType = UNSET


def dead_letter(
    reason: Reason, detail: str, source: str, received_at: str, payload: bytes, full_length: int | None = None
) -> DeadLetter:
    """A dead letter of raw bytes; give `full_length` when `payload` is only the beginning of a longer input."""
    length = len(payload) if full_length is None else full_length
    kept = payload[:MAX_PAYLOAD_BYTES]
    cut = length if length > len(kept) else UNSET
    return DeadLetter(str(reason), detail, source, received_at, as_text(kept, cut is not UNSET), cut)


def as_text(payload: bytes, cut: bool) -> str | dict[str, str]:
    """The bytes as text, without the character that a cut went through; base64 where they are no UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        if cut and error.reason == "unexpected end of data" and error.end == len(payload):
            return payload[: error.start].decode()
        return {"base64": base64.b64encode(payload).decode("ascii")}
