"""What is wrong with an object that its struct refused: the contract's reason, and the field's name.

msgspec stops at the first fault it meets, which may be a wrong field before a syntax error; an object that is no JSON
at all is called that, whatever else it is.
"""

import re
from typing import Any

import msgspec

from events.deadletters import Reason

MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")
PATH = re.compile(r" - at `(?P<path>.*)`$", re.DOTALL)
RANGE = re.compile(r"^Expected `\w+` (?:[<>]|of length)|^Number out of range|^Invalid enum value")
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
"""A string (brackets in it do not count) or a bracket."""
PAIRS = {b"]": ord("["), b"}": ord("{")}
SYNTAX: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.Raw)


def diagnose(text: bytes, error: Exception) -> tuple[Reason, str]:
    """The reason and the detail for what msgspec raised while reading these bytes."""
    if isinstance(error, RecursionError):
        return too_deep(text)
    if not isinstance(error, msgspec.ValidationError):
        return Reason.NOT_JSON, str(error)
    try:
        SYNTAX.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as malformed:
        return Reason.NOT_JSON, str(malformed)
    except RecursionError:
        return too_deep(text)
    return classify(str(error))


def too_deep(text: bytes) -> tuple[Reason, str]:
    """What is said of an object nested beyond what the parser follows: brackets that do not pair are no JSON."""
    waiting = bytearray()
    for token in TOKEN.findall(text):
        bracket = token[:1]
        if bracket in b"[{":
            waiting += bracket
        elif bracket in b"]}" and (not waiting or waiting.pop() != PAIRS[bracket]):
            return Reason.NOT_JSON, f"a {bracket.decode()} that closes nothing"
    if waiting:
        return Reason.NOT_JSON, f"{len(waiting)} brackets are not closed"
    return Reason.FAILED, "nested too deeply"


def classify(message: str) -> tuple[Reason, str]:
    """The reason and the detail for the message of a msgspec.ValidationError."""
    at = PATH.search(message)
    field = at["path"].removeprefix("$.").removeprefix("$") if at else ""
    meaning = message[: at.start()] if at else message
    missing = MISSING.search(meaning)
    if missing:
        return Reason.MISSING_FIELD, f"{field}.{missing['field']}".lstrip(".")
    if not field:
        return Reason.NOT_AN_OBJECT, meaning
    if field == "type" and meaning.startswith("Invalid value"):
        return Reason.UNKNOWN_TYPE, f"type: {meaning}"
    return (Reason.OUT_OF_RANGE if RANGE.match(meaning) else Reason.WRONG_TYPE), f"{field}: {meaning}"
