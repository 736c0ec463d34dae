"""CloudEvents 1.0 around our events, in both modes of the Kafka protocol binding.

Structured: the object is the envelope and ours is its `data` (or `data_base64`). Binary: the attributes are headers
named `ce_...` and the value is ours. The attributes id, type, time, subject and source stand in for event_id, type,
occurred_at, customer_id and source where our object lacks them (or has null there).
Sources: CloudEvents spec 1.0.2, JSON event format 1.0.2, Kafka protocol binding 1.0.2.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from events.contract import AnyEvent, Event
from events.deadletters import Reason, RefusedError
from events.faults import classify

STANDS_IN = {
    "id": "event_id",
    "type": "type",
    "time": "occurred_at",
    "subject": "customer_id",
    "source": "source",
}
"""Attribute of the envelope, and the common field it stands in for."""

HEADER_PREFIX = "ce_"
MAJOR_VERSION = "1."
OBJECT = msgspec.json.Decoder(dict[str, Any])


def open_envelope(text: bytes) -> Event | None:
    """The event in a structured envelope; None when the object is no envelope.

    Raises RefusedError, or what msgspec raises, for an envelope whose event is not right.
    """
    if b'"specversion"' not in text:
        return None
    envelope = OBJECT.decode(text)
    if "specversion" not in envelope or (envelope.keys() & {"event_id", "customer_id"} and not has_data(envelope)):
        return None  # an object of ours that happens to have a field of that name
    check_version(envelope["specversion"])
    return stand_in(data_of(envelope), envelope) if has_data(envelope) else stand_alone(envelope)


def has_data(envelope: Mapping[str, Any]) -> bool:
    """Whether the envelope carries anything."""
    return "data" in envelope or "data_base64" in envelope


def stand_alone(envelope: Mapping[str, Any]) -> Event:
    """The event of an envelope without data: its attributes may say it all, else it is the data that is missing."""
    try:
        return stand_in({}, envelope)
    except msgspec.ValidationError as error:
        if classify(str(error))[0] == Reason.MISSING_FIELD:
            raise RefusedError(Reason.MISSING_FIELD, "data") from error
        raise


def data_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Our object, out of a structured envelope."""
    data = envelope.get("data")
    if data is None and "data_base64" in envelope:
        data = OBJECT.decode(from_base64(envelope["data_base64"]))
    if isinstance(data, str):  # JSON text in a string, as some producers send it
        data = OBJECT.decode(data.encode())
    if not isinstance(data, dict):
        raise RefusedError(Reason.NOT_AN_OBJECT, "data is no object")
    return data


def from_base64(text: Any) -> bytes:
    """The bytes of `data_base64`."""
    if not isinstance(text, str):
        raise RefusedError(Reason.WRONG_TYPE, "data_base64 is no text")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise RefusedError(Reason.NOT_JSON, f"data_base64: {error}") from error


def check_version(version: Any) -> None:
    """Refuse an envelope of another major version."""
    if not isinstance(version, str):
        raise RefusedError(Reason.WRONG_TYPE, "specversion is no text")
    if not version.startswith(MAJOR_VERSION):
        raise RefusedError(Reason.OUT_OF_RANGE, f"specversion {version[:20]} is not {MAJOR_VERSION}x")


def attributes_of(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The attributes that the headers of a record carry; empty when it is not in binary mode."""
    attributes: dict[str, str] = {}
    for name, value in headers:
        if name.startswith(HEADER_PREFIX) and value is not None:
            try:
                attributes[name.removeprefix(HEADER_PREFIX)] = value.decode()
            except UnicodeDecodeError as error:
                raise RefusedError(Reason.NOT_JSON, f"header {name} is no UTF-8") from error
    return attributes


def read_binary(attributes: Mapping[str, str], value: bytes) -> Event:
    """The event of a record in binary mode; raises as `open_envelope` does."""
    check_version(attributes.get("specversion", "1.0"))
    return stand_in(OBJECT.decode(value) if value.strip() else {}, attributes)


def stand_in(data: dict[str, Any], attributes: Mapping[str, Any]) -> Event:
    """Our object with the envelope's attributes for the common fields it lacks."""
    for attribute, field in STANDS_IN.items():
        if data.get(field) is None and attributes.get(attribute) is not None:
            data[field] = attributes[attribute]
    event: Event = msgspec.convert(data, AnyEvent)
    return event
