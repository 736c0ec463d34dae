"""From located values to typed structs: one declaration says keys, types, limits and defaults.

A declaration is a frozen msgspec Struct; msgspec's own conversion stops at the first fault and knows no lines, so the walk
is here: it notes every fault of a file with its place and refuses unknown keys with a hint. What is at fault is left out,
and the rest is still given where it can be, so that later checks find their faults in the same go.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from msgspec import inspect

from rules.documents import UNREADABLE, Document, Located, Path
from rules.faults import Fault
from rules.hints import did_you_mean
from rules.lookalikes import mend
from rules.scalars import RefusedError, scalar

T = TypeVar("T")
_MISSING: Any = object()


def read(document: Document, shape: type[T]) -> tuple[T | None, list[Fault]]:
    """The document as `shape` and its faults; with faults it is as much as could be read, or None."""
    found, faults = read_as(document, inspect.type_info(shape))
    return cast("T | None", found), faults


def read_as(document: Document, wanted: inspect.Type) -> tuple[Any, list[Fault]]:
    """As `read`, for a type of msgspec's inspection."""
    if document.root is None:
        return None, []
    walk = _Walk(document)
    found = walk.value(document.root, wanted, ())
    return (None if found is _MISSING else found), walk.faults


def plain(node: Located) -> Any:
    """A value without its places."""
    if isinstance(node.value, dict):
        return {key: plain(inner) for key, inner in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


class _Walk:
    def __init__(self, document: Document) -> None:
        self.faults: list[Fault] = []
        self._document = document

    def value(self, node: Located, wanted: inspect.Type, path: Path) -> Any:
        """The value as the type wants it, or _MISSING after noting why not."""
        if isinstance(wanted, inspect.UnionType):
            wanted = _present(wanted, node)
        if node.value is UNREADABLE:
            return _MISSING
        if node.value is None:
            key = path[-1] if path and isinstance(path[-1], str) else ""
            return self._refuse(path, f"is empty: give it a value or leave it out{mend(key)}", "empty")
        if isinstance(wanted, inspect.AnyType):
            return plain(node)
        if isinstance(wanted, inspect.StructType):
            return self._struct(node, wanted, path)
        if isinstance(wanted, inspect.DictType):
            return self._dict(node, wanted, path)
        if isinstance(wanted, inspect.VarTupleType):
            return self._list(node, wanted, path)
        try:
            return scalar(node.value, wanted)
        except RefusedError as refused:
            self._refuse(path, f"{refused}{_mended(node.value)}", refused.code)
            return node.value if refused.text else _MISSING

    def _struct(self, node: Located, wanted: inspect.StructType, path: Path) -> Any:
        if not isinstance(node.value, dict):
            return self._refuse(path, "must be a mapping (keys with values)", "wrong-type")
        fields = {one.encode_name: one for one in wanted.fields}
        free = fields.keys() - node.value.keys()
        for key in node.value.keys() - fields.keys():
            message = f"unknown key `{key}`{did_you_mean(key, free)}{mend(key)}"
            self._note((*path, key), message, "unknown-key", key=True)
        for name, one in fields.items():
            if one.required and name not in node.value:
                self._note(path, f"the key `{name}` is missing", "missing-key")
        found = {
            one.name: self.value(node.value[name], one.type, (*path, name))
            for name, one in fields.items()
            if name in node.value
        }
        given = {name: value for name, value in found.items() if value is not _MISSING}
        self._document.dropped |= {(*path, one.encode_name) for one in wanted.fields if found.get(one.name) is _MISSING}
        if {one.name for one in fields.values() if one.required} - given.keys():
            return _MISSING
        try:
            return wanted.cls(**given)
        except ValueError as error:
            if len(given) == len(found):  # else it may only miss what was refused already
                self._note(path, str(error), "invalid")
            return _MISSING

    def _dict(self, node: Located, wanted: inspect.DictType, path: Path) -> Any:
        if not isinstance(node.value, dict):
            return self._refuse(path, "must be a mapping (keys with values)", "wrong-type")
        for key in node.value:
            self._key(key, wanted.key_type, (*path, key))
        found = {key: self.value(inner, wanted.value_type, (*path, key)) for key, inner in node.value.items()}
        self._document.dropped |= {(*path, key) for key, value in found.items() if value is _MISSING}
        return {key: value for key, value in found.items() if value is not _MISSING}

    def _key(self, key: str, wanted: inspect.Type, path: Path) -> None:
        if isinstance(wanted, inspect.LiteralType) and key not in wanted.values:
            names = [str(value) for value in wanted.values]
            hint = (did_you_mean(key, names) or f"; there are {', '.join(names)}") + mend(key)
            self._note(path, f"unknown key `{key}`{hint}", "unknown-key", key=True)
        elif isinstance(wanted, inspect.Metadata):
            try:
                scalar(key, wanted)
            except RefusedError as refused:
                self._note(path, f"the key {refused}{mend(key)}", refused.code, key=True)

    def _list(self, node: Located, wanted: inspect.VarTupleType, path: Path) -> Any:
        if not isinstance(node.value, list):
            return self._refuse(path, "must be a list", "wrong-type")
        if len(node.value) < (wanted.min_length or 0):
            return self._refuse(path, "must not be empty", "empty")
        found = [self.value(item, wanted.item_type, (*path, i)) for i, item in enumerate(node.value)]
        self._document.dropped |= {(*path, i) for i, item in enumerate(found) if item is _MISSING}
        return tuple(item for item in found if item is not _MISSING)

    def _refuse(self, path: Path, message: str, code: str) -> Any:
        self._note(path, f"{_called(path)} {message}", code)
        return _MISSING

    def _note(self, path: Path, message: str, code: str, *, key: bool = False) -> None:
        self.faults.append(self._document.fault(path, message, code, key=key))


def _present(wanted: inspect.UnionType, node: Located) -> inspect.Type:
    """What `X | None` is when it is there; a union of scalars stays one, a mapping is the struct among them."""
    options = [option for option in wanted.types if not isinstance(option, inspect.NoneType)]
    if isinstance(node.value, dict):
        options = [option for option in options if isinstance(option, inspect.StructType)] or options
    return options[0] if len(options) == 1 else wanted


def _mended(value: object) -> str:
    return mend(value) if isinstance(value, str) else ""


def _called(path: Path) -> str:
    if not path:
        return "it"
    last = path[-1]
    return f"`{last}`" if isinstance(last, str) else f"item {last + 1}"
