"""Faults in what people write: where, what, and how to mend it. Never a traceback."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]
MOST_FAULTS: Final = 200
"""Of one file, beyond which it is only said how many more there are."""
_MORE: Final = "more-faults"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One finding in a configuration file; line and column count from 1.

    An `error` keeps the configuration from being taken up; a `warning` is a finding of `rules check` only. `code` is a short
    stable name of the kind of fault, for machines.
    """

    file: str
    line: int
    column: int
    message: str
    code: str = "invalid"
    severity: Severity = "error"

    def __post_init__(self) -> None:
        for name in ("file", "message"):  # names of files, and those quoted in a message, may hold anything
            object.__setattr__(self, name, in_one_line(getattr(self, name)))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


def in_one_line(text: str) -> str:
    """The text in one line, with escapes for what does not print: line feeds, controls, bytes that are no UTF-8."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class ConfigurationError(Exception):
    """The configuration cannot be used; `faults` holds every reason, in the order of files and lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(render(faults))
        self.faults = tuple(faults)


def limited(faults: Iterable[Fault]) -> list[Fault]:
    """The faults in order of place; of a file with very many the first, errors before warnings, and how many more."""
    by_file: dict[str, list[Fault]] = {}
    for fault in faults:
        by_file.setdefault(fault.file, []).append(fault)
    return sorted(one for found in by_file.values() for one in _of_file(found))


def _of_file(found: list[Fault]) -> list[Fault]:
    if len(found) <= MOST_FAULTS + 1:
        return found
    found.sort(key=lambda one: (one.code != _MORE, one.severity == "warning", one.line, one.column))
    told, more = found[:MOST_FAULTS], found[MOST_FAULTS:]
    last = max(told, key=lambda one: (one.line, one.column))
    message = f"and {len(more):,} more faults in this file: mend these first"
    return [*told, Fault(last.file, last.line, last.column, message, _MORE, more[0].severity)]


def errors(faults: Iterable[Fault]) -> list[Fault]:
    """Those that keep the configuration from being taken up, in order."""
    return sorted(fault for fault in faults if fault.severity == "error")


def render(faults: Iterable[Fault]) -> str:
    """One line per fault, `file:line:column: message`, in order of place; warnings say so."""
    return "\n".join(f"{fault} (warning)" if fault.severity == "warning" else str(fault) for fault in sorted(faults))
