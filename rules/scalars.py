"""Single values of the configuration: what each declared type accepts, and what it says otherwise.

Nothing is converted silently: a number in quotes is a text, and `yes` is a text too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping

from msgspec import inspect

from rules.durations import Duration, UtcOffset, WorkingTime
from rules.hints import did_you_mean
from rules.moments import Moment
from rules.workdays import OpenHours

WRITTEN: Mapping[type, Callable[[str], object]] = {
    Duration: Duration.parse,
    WorkingTime: WorkingTime.parse,
    UtcOffset: UtcOffset.parse,
    OpenHours: OpenHours.parse,
    Moment: Moment.parse,
}
"""Types that authors write as text, with what reads them (ValueError carries the message)."""

_KINDS: Mapping[type, type] = {inspect.FloatType: float, inspect.BoolType: bool, inspect.StrType: str}


class RefusedError(ValueError):
    """A value that its type does not accept; the message continues the value's name.

    `text` says that it is a text all the same, which later checks may look at.
    """

    def __init__(self, message: str, code: str, *, text: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.text = text


def scalar(value: object, wanted: inspect.Type) -> object:
    """The value as the type wants it. Raises RefusedError."""
    match wanted:
        case inspect.Metadata():
            return _described(value, wanted)
        case inspect.CustomType() if wanted.cls in WRITTEN:
            return _written(value, WRITTEN[wanted.cls])
        case inspect.DateType():
            return _written(value, _date)
        case inspect.DateTimeType():
            return _written(value, _moment)
        case inspect.LiteralType():
            return _choice(value, [str(one) for one in wanted.values])
        case inspect.BoolType():
            return _bool(value)
        case inspect.IntType() | inspect.FloatType():
            return _number(value, wanted)
        case inspect.UnionType():
            return _any_of(value, wanted)
        case inspect.StrType():
            return _text(value, wanted.pattern, wanted.pattern or "")
    raise TypeError(f"no configuration value can be of {wanted}")


def _described(value: object, wanted: inspect.Metadata) -> object:
    if isinstance(wanted.type, inspect.StrType):
        return _text(value, wanted.type.pattern, (wanted.extra_json_schema or {})["description"])
    return scalar(value, wanted.type)


def _text(value: object, pattern: str | None, described: str) -> str:
    if not isinstance(value, str):
        raise RefusedError(
            "must be text" if isinstance(value, dict | list) else "must be text: put it in quotes", "wrong-type"
        )
    if not value.strip():
        raise RefusedError("is empty: give it a value or leave it out", "empty")
    if pattern and not re.search(pattern, value):
        raise RefusedError(f"is `{value}`: it must be {described}", "invalid", text=True)
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise RefusedError("must be true or false", "wrong-type")
    return value


def _number(value: object, wanted: inspect.IntType | inspect.FloatType) -> float:
    whole = isinstance(wanted, inspect.IntType)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        quoted = " without quotes" if isinstance(value, str) and re.fullmatch(r"[-+.\d]+", value) else ""
        raise RefusedError(f"must be a {'whole ' if whole else ''}number{quoted}", "wrong-type")
    if wanted.ge is not None and value < wanted.ge:
        raise RefusedError(f"must be at least {wanted.ge:g}", "out-of-range")
    if wanted.gt is not None and value <= wanted.gt:
        raise RefusedError(f"must be more than {wanted.gt:g}", "out-of-range")
    if wanted.le is not None and value > wanted.le:
        raise RefusedError(f"must be at most {wanted.le:g}", "out-of-range")
    return value if whole else float(value)


def _any_of(value: object, wanted: inspect.UnionType) -> object:
    number = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if type(number) in {_KINDS.get(type(option)) for option in wanted.types}:
        return number
    flag = "true or false, " if any(isinstance(option, inspect.BoolType) for option in wanted.types) else ""
    raise RefusedError(f"must be a number, {flag}or a text", "wrong-type")


def _choice(value: object, names: list[str]) -> str:
    if isinstance(value, str) and value in names:
        return value
    raise RefusedError(f"must be one of {', '.join(names)}{did_you_mean(str(value), names)}", "invalid")


def _written(value: object, parse: Callable[[str], object]) -> object:
    """Reads a text; a bare number is shown to the reader as written, which says how to write it."""
    if isinstance(value, dict | list):
        raise RefusedError("must be one value", "wrong-type")
    try:
        return parse(
            value if isinstance(value, str) else f"{value:g}" if isinstance(value, int | float) else str(value)
        )
    except ValueError as error:
        raise RefusedError(f"is wrong: {error}", "invalid") from None


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is no date: write it like 2026-02-17") from None


def _moment(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
        found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        found = dt.datetime.min  # noqa: DTZ901 - naive on purpose: refused below
    if found.tzinfo is None:
        raise ValueError(f"`{text}` is no time with an offset: write it like 2026-03-01T00:00:00+08:00")
    return found
