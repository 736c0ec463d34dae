"""JSON Schema of the configuration's files, from the same declarations that read them; for editors and for CI.

In an editor: `# yaml-language-server: $schema=rules.schema.json` as a file's first line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import inspect

from rules.casefile import CaseFile
from rules.durations import Duration, UtcOffset, WorkingTime
from rules.moments import Moment
from rules.plans import PlansFile
from rules.policy import PolicyFile
from rules.rulefile import RuleFile
from rules.settings import ActionFile, Settings, WorkdaysFile
from rules.workdays import OpenHours

FILES: Final[Mapping[str, type]] = {
    "rules": RuleFile,
    "tests": CaseFile,
    "settings": Settings,
    "actions": ActionFile,
    "workdays": WorkdaysFile,
    "policy": PolicyFile,
    "plans": PlansFile,
}
_SPAN: Final = r"^(0|(?=\d)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?)$"
_WRITTEN: Final[Mapping[type, dict[str, Any]]] = {
    Duration: {"type": ["string", "integer"], "pattern": _SPAN, "description": "a span of time: 30m, 24h, 7d, 1d12h"},
    WorkingTime: {"type": ["string", "integer"], "pattern": r"^(0|(?=\d)(\d+h)?(\d+m)?(\d+s)?)$"},
    UtcOffset: {"type": "string", "pattern": r"^[+-]\d\d:\d\d$", "description": "local time, such as +08:00"},
    OpenHours: {"type": "string", "description": "from and to, such as 09:00-18:00"},
    Moment: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d", "description": "a day, or a time with its offset"},
}


def schema_of_file(kind: str, names: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind of file. `names` are the texts that keys of a rule may have: tier, actions, evidence.

    Raises KeyError for a kind that there is not.
    """
    made = _Schema(names or {})
    root = made.of(inspect.type_info(FILES[kind]))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": made.definitions}


class _Schema:
    """Walks a declaration as `shapes` does; structs become definitions."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self.definitions: dict[str, Any] = {}
        self._names = names

    def of(self, wanted: inspect.Type) -> dict[str, Any]:
        """The schema of a type."""
        if isinstance(wanted, inspect.StructType):
            return self._struct(wanted)
        if isinstance(wanted, inspect.UnionType):
            options = [self.of(one) for one in wanted.types if not isinstance(one, inspect.NoneType)]
            return options[0] if len(options) == 1 else {"anyOf": options}
        if isinstance(wanted, inspect.DictType):
            keys = self.of(wanted.key_type)
            return {"type": "object", "propertyNames": keys, "additionalProperties": self.of(wanted.value_type)}
        if isinstance(wanted, inspect.VarTupleType):
            least = {"minItems": wanted.min_length} if wanted.min_length else {}
            return {"type": "array", "items": self.of(wanted.item_type), **least}
        if isinstance(wanted, inspect.Metadata):
            return self.of(wanted.type) | (wanted.extra_json_schema or {})
        return _scalar(wanted)

    def _struct(self, wanted: inspect.StructType) -> dict[str, Any]:
        name = wanted.cls.__name__
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] |= {
                "type": "object",
                "description": " ".join((wanted.cls.__doc__ or "").split()),
                "properties": {one.encode_name: self._field(name, one) for one in wanted.fields},
                "required": [one.encode_name for one in wanted.fields if one.required],
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{name}"}

    def _field(self, struct: str, one: inspect.Field) -> dict[str, Any]:
        found = self.of(one.type)
        values = self._names.get(one.encode_name) if struct == "RuleEntry" else None
        if values is None:
            return found
        texts = {"type": "string", "enum": sorted(values)}
        return found | {"items": texts} if found.get("type") == "array" else texts


def _scalar(wanted: inspect.Type) -> dict[str, Any]:
    """The schema of a single value."""
    match wanted:
        case inspect.CustomType() if wanted.cls in _WRITTEN:
            return dict(_WRITTEN[wanted.cls])
        case inspect.LiteralType():
            return {"enum": list(wanted.values)}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType() | inspect.FloatType():
            bounds = {"minimum": wanted.ge, "exclusiveMinimum": wanted.gt, "maximum": wanted.le}
            kind = "integer" if isinstance(wanted, inspect.IntType) else "number"
            return {"type": kind, **{name: value for name, value in bounds.items() if value is not None}}
        case inspect.StrType():
            return {"type": "string", **({"pattern": wanted.pattern} if wanted.pattern else {})}
        case inspect.DateType():
            return {"type": "string", "format": "date"}
        case inspect.DateTimeType():
            return {"type": "string", "format": "date-time"}
        case inspect.AnyType():
            return {}
    raise TypeError(f"no configuration value can be of {wanted}")
