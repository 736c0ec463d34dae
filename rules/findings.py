"""Findings of `rules check` for people and for machines: text, JSON, SARIF 2.1.0, GitHub's annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from rules.faults import Fault, render

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(faults: Iterable[Fault]) -> str:
    """A list of objects: file, line, column, message, code, severity."""
    plain = [{name: getattr(fault, name) for name in Fault.__slots__} for fault in sorted(faults)]
    return msgspec.json.format(msgspec.json.encode(plain)).decode()


def as_sarif(faults: Iterable[Fault]) -> str:
    """One run of the tool `churn rules check`; the codes are its rules."""
    found = sorted(faults)
    driver = {"name": "churn rules check", "rules": [{"id": code} for code in sorted({fault.code for fault in found})]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(one) for one in found]}
    whole = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(whole)).decode()


def _result(fault: Fault) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": fault.file},
        "region": {"startLine": fault.line, "startColumn": fault.column},
    }
    return {
        "ruleId": fault.code,
        "level": fault.severity,
        "message": {"text": fault.message},
        "locations": [{"physicalLocation": place}],
    }


def as_github(faults: Iterable[Fault]) -> str:
    """Workflow commands, one a line, that GitHub shows beside the changed lines."""
    return "\n".join(
        f"::{one.severity} file={_property(one.file)},line={one.line},col={one.column},title={_property(one.code)}"
        f"::{_escaped(one.message)}"
        for one in sorted(faults)
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[Mapping[str, Callable[[Sequence[Fault]], str]]] = {
    "text": render,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""How findings can be written."""
