"""Faults in what people write: where, what, and how to mend it. Never a traceback."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One finding in a configuration file; line and column count from 1.

    An `error` keeps the configuration from being used; a `warning` is a finding of `rules check` only. `code` is a short
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
            object.__setattr__(self, name, printable(getattr(self, name)))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


def printable(text: str) -> str:
    """The text in one line, with escapes for what does not print: line feeds, controls, bytes that are no UTF-8."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class ConfigurationError(Exception):
    """The configuration cannot be used; `faults` holds every reason, in the order of files and lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(render(faults))
        self.faults = tuple(faults)


def errors(faults: Iterable[Fault]) -> list[Fault]:
    """Those that keep the configuration from being used, in order."""
    return sorted(fault for fault in faults if fault.severity == "error")


def render(faults: Iterable[Fault]) -> str:
    """One line per fault, `file:line:column: message`, in order of place; warnings say so."""
    return "\n".join(f"{fault} (warning)" if fault.severity == "warning" else str(fault) for fault in sorted(faults))
