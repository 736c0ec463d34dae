"""Events that a test tells, held against the contract: each fault once and in its place, not once for every repetition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, Protocol, get_args, get_origin

import msgspec

from events.contract import EVENT_TYPES, Event, event_type
from rules.documents import Document, Path
from rules.faults import Fault
from rules.hints import did_you_mean

_TYPES: Final = {event_type(struct): struct for struct in EVENT_TYPES}
_FILLED: Final = frozenset(("event_id", "customer_id", "occurred_at"))  # for whoever writes the test


class Told(Protocol):
    """As much of an event of a test as is looked at."""

    @property
    def type(self) -> str: ...
    @property
    def fields(self) -> dict[str, Any]: ...


def event_faults(document: Document, path: Path, event: Told) -> Iterator[Fault]:
    """What is wrong with the event at `path`: a type that there is not, fields that it does not have, misfits, or lacks."""
    struct = _TYPES.get(event.type)
    if struct is None:
        message = f"no event type `{event.type}`{did_you_mean(event.type, _TYPES)}"
        yield document.fault((*path, "type"), message, "unknown-name")
        return
    yield from _of_fields(document, path, event, struct)


def _of_fields(document: Document, path: Path, event: Told, struct: type[Event]) -> Iterator[Fault]:
    known = {one.encode_name: one for one in msgspec.structs.fields(struct)}
    for name, value in event.fields.items():
        place = (*path, "with", name)
        if name not in known:
            free = [one for one in known if one not in _FILLED and one not in event.fields]
            hint = did_you_mean(name, free) or f"; there are {', '.join(free)}"
            yield document.fault(place, f"`{event.type}` has no field `{name}`{hint}", "unknown-key", key=True)
        elif wrong := _misfit(value, known[name].type):
            yield document.fault(place, f"`{name}` {wrong}", "wrong-type")
    for name, one in known.items():
        if one.required and name not in event.fields.keys() | _FILLED:
            yield document.fault(path, f"`{event.type}` needs the field `{name}` (under `with`)", "missing-key")


def _misfit(value: Any, wanted: Any) -> str:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        words = _words(wanted)
        if words and isinstance(value, str):
            return f"is never {value!r}" + (did_you_mean(value, words) or f"; there are {', '.join(words)}")
        return f"is not what the contract says ({error})"
    return ""


def _words(wanted: Any) -> list[str]:
    """The texts that a field may be, where it is one of a few."""
    if get_origin(wanted) is Literal:
        return [str(one) for one in get_args(wanted)]
    return [word for one in get_args(wanted) for word in _words(one)]
