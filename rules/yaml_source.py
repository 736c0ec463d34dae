"""Reads YAML 1.2 into located values.

Stricter than YAML where YAML surprises: a key may stand once, there are no anchors, merges, tags, directives or second
documents, and keys are text. `no`, `on` and `12:30` are texts, as YAML 1.2 says.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from rules.documents import UNREADABLE, Document, Located, Place
from rules.faults import Fault
from rules.lookalikes import mend

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_MAX_OPEN_BRACKETS = 200  # the scanner looks at every open bracket at every token
_SMALL, _REMEMBERED = 1 << 15, 128


def parse(file: str, raw: bytes) -> tuple[Document, list[Fault]]:
    """Reads one file. All faults that do not hide the rest come back together; syntax gives the first one only."""
    known = _faultless(raw) if len(raw) <= _SMALL else None
    return _parsed(file, raw) if known is None else (Document(file, *known), [])


@lru_cache(_REMEMBERED)
def _faultless(raw: bytes) -> tuple[str, Located | None] | None:
    """The source and values of a file without faults, whatever its name: a worker that starts reads its folder, and then the
    same files from the topic of rules.
    """
    document, faults = _parsed("", raw)
    return None if faults else (document.source, document.root)


def _parsed(file: str, raw: bytes) -> tuple[Document, list[Fault]]:
    source, faults = _decoded(file, raw)
    if faults:
        return Document(file, "", None), faults
    yaml = YAML(typ="safe", pure=True)
    try:
        yaml.composer.warn_double_anchors = False  # they are refused below, with their places
        node = yaml.compose(source)
    except MarkedYAMLError as error:
        return Document(file, source, None), [_syntax_fault(file, source, error)]
    except ReaderError as error:
        line, column = _line_column(source, error.position)
        message = f"the character U+{ord(source[error.position]):04X} cannot stand in YAML"
        return Document(file, source, None), [Fault(file, line, column, message, "yaml")]
    except (YAMLError, RecursionError, ValueError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        return Document(file, source, None), [Fault(file, 1, 1, f"cannot be read as YAML ({reason})", "yaml")]
    if node is None:
        return Document(file, source, None), [Fault(file, 1, 1, "the file is empty", "empty")]
    reader = _Reader(file)
    root = reader.value(node, 0)
    return Document(file, source, root), [*reader.faults]


def _decoded(file: str, raw: bytes) -> tuple[str, list[Fault]]:
    if len(raw) > MAX_BYTES:
        return "", [Fault(file, 1, 1, f"the file is larger than {MAX_BYTES:,} bytes", "yaml")]
    if raw[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        return "", [Fault(file, 1, 1, "a workbook of Excel or WPS, not a text: rules are text files", "encoding")]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw[:2]:  # with its mark, or without
        return "", [Fault(file, 1, 1, "the file is UTF-16: save it as UTF-8", "encoding")]
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _line_column(raw[: error.start].decode(), error.start)
        return "", [Fault(file, line, column, "not UTF-8 (GBK from Excel or WPS?): save the file as UTF-8", "encoding")]
    for number, text in enumerate(source.splitlines(), start=1):
        if text.startswith("%"):
            return "", [Fault(file, number, 1, "YAML directives (%) are not allowed", "yaml")]
    source = source.replace("\r\n", "\n")
    opened = 0
    for position, character in enumerate(source):
        opened = opened + 1 if character in "[{" else max(opened - 1, 0) if character in "]}" else opened
        if opened > _MAX_OPEN_BRACKETS:
            return "", [Fault(file, *_line_column(source, position), "nested too deep", "yaml")]
    return source, []


def _syntax_fault(file: str, source: str, error: MarkedYAMLError) -> Fault:
    problem = error.problem or error.context or "cannot be read as YAML"
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    if "'\\t'" in problem:
        problem = "a tab: indent with blanks"
    elif "another document" in problem:
        problem = "a second document begins here (`---`): one file, one document"
    elif "mapping values are not allowed" in problem:
        problem = "a second `:` here: a text that holds `: ` needs quotes"
    elif problem.startswith("expected <block end>, but found"):
        problem = _out_of_place(problem)
    elif "could not find expected ':'" in problem:
        problem, mark = "a key without `: ` and a value", opened
    elif opened and error.context and "flow" in error.context and "<stream end>" in problem:
        problem, mark = "the bracket is never closed", opened
    elif opened and error.context and "flow" in error.context:
        problem += f" (is the bracket of line {opened.line + 1} closed?)"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    around = "".join(source.split("\n")[line - 1 : line])
    if "：" in around:
        problem += "; full-width `：`: write `: `"
    else:
        before = "".join(source.split("\n")[max(0, line - 2) : line - 1])
        problem += mend(around) if around.lstrip()[:1] not in "\"'#" else ""
        blanks = before[: len(before) - len(before.lstrip())]
        if (told := mend(blanks)) and not mend(around):
            problem += f"; line {line - 1} begins with no plain blanks{told}"
    return Fault(file, line, column, problem, "yaml")


def _out_of_place(problem: str) -> str:
    """What stands where a mapping or list ends, in words for people who do not write YAML."""
    if "<scalar>" in problem:
        return "text goes on after a closing quote: put quotes around the whole value"
    if "<block mapping start>" in problem or "<block sequence start>" in problem:
        return "the line is not indented like those that it belongs to"
    return problem


def _line_column(before: str, position: int) -> tuple[int, int]:
    lines = before[:position].split("\n")
    return len(lines), len(lines[-1]) + 1


class _Reader:
    """Turns YAML nodes into located values, noting what is not allowed."""

    def __init__(self, file: str) -> None:
        self.faults: dict[Fault, None] = {}  # each once: an alias leads to the same place again
        self._file = file

    def value(self, node: Any, depth: int) -> Located:
        place = Place(node.start_mark.line + 1, node.start_mark.column + 1, node.start_mark.index)
        if depth > MAX_DEPTH:
            self._refuse(place, "nested too deep")
            return Located(UNREADABLE, place)
        if node.anchor is not None:
            self._refuse(place, "anchors and aliases (& and *) are not allowed: write it out, or use params")
            return Located(UNREADABLE, place)
        if node.id == "mapping":
            return self._mapping(node, place, depth)
        if node.id == "sequence":
            return Located([self.value(item, depth + 1) for item in node.value], place)
        return Located(self._scalar(node, place), place)

    def _mapping(self, node: Any, place: Place, depth: int) -> Located:
        values: dict[str, Located] = {}
        keys: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node, depth + 1)
            value = self.value(value_node, depth + 1)
            if not isinstance(key.value, str):
                comma = isinstance(key.value, int | float) and not isinstance(key.value, bool) and value.value is None
                hint = " (a comma within a number? write 5000, or 0.5)" if comma and node.flow_style else ""
                self._refuse(key.place, f"a key must be text: put it in quotes{hint}")
            elif key.value == "<<":
                self._refuse(key.place, "merging (<<) is not allowed: write it out")
            elif key.value in values:
                first = keys[key.value]
                self._refuse(
                    key.place, f"`{key.value}` stands here twice (first in line {first.line})", "duplicate-key"
                )
            else:
                values[key.value], keys[key.value] = value, key.place
        return Located(values, place, keys)

    def _scalar(self, node: Any, place: Place) -> object:
        tag = str(node.tag).removeprefix("tag:yaml.org,2002:")
        text = str(node.value)
        if half := next((one for one in text if "\ud800" <= one <= "\udfff"), ""):
            self._refuse(place, f"half a character (U+{ord(half):04X}): write the character itself", "encoding")
            return UNREADABLE
        if tag in ("str", "timestamp", "merge", "value"):
            return text
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag in ("int", "float"):
            return self._number(text, tag, place)
        self._refuse(place, f"the tag `!{tag}` is not allowed")
        return UNREADABLE

    def _number(self, text: str, tag: str, place: Place) -> object:
        try:
            plain = text.replace("_", "")
            number = (
                (int(plain, 0) if plain[:2].lower() in ("0x", "0o") else int(plain)) if tag == "int" else float(plain)
            )
            if math.isfinite(float(number)):
                return number
        except (ValueError, OverflowError):
            pass
        self._refuse(place, f"`{text[:40]}` is no number that can be used")
        return UNREADABLE

    def _refuse(self, place: Place, message: str, code: str = "yaml") -> None:
        self.faults[Fault(self._file, place.line, place.column, message, code)] = None
