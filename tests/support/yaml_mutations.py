"""Rule files as they must not be: broken in the ways of hands, of Excel and WPS, of Chinese input methods; and what has to hold."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor

from rules.documents import Document
from rules.load import Reading, examine
from rules.shapes import plain
from rules.yaml_source import parse

WIDE = dict(
    zip(",:;()\"'%<>=!&[].+-*/0123456789 ", "，：；（）”’％＜＞＝！＆【】．＋－＊／０１２３４５６７８９　", strict=True)
)
VALUES = (
    "no", "yes", "on", "off", "y", "~", "null", "true", "True", "12:30", "0o17", "017", "1_000", "0x10", ".inf", ".nan", "-.inf",
    '"0.4"', "'3'", "1e3", "1e999", "5 GB", "5GB", "30 元", "40%", "４０％", "3 days", "&a x", "*a", "!!str x", "!!python/object:os x",
    "{}", "[]", "{a: 1}", "[1, 2]", "|", ">", "|\n  x", "2026-05-01", "2026-13-45", "2026/05/01", "“high”", "", " ", "\u200b", "=", "<<",
)  # fmt: skip
KEYS = ("on", "no", "<<", "id", "expr", "params", "1", "true", "~", "a b", "for：", "é", "\ufeffid")
STRAY = (
    "\t",
    "\u00a0",
    "\u3000",
    "\ufeff",
    "\u200b",
    "\r",
    "\x85",
    "\u2028",
    "\x00",
    "\x07",
    "\ud7ff",
    "😀",
    "%",
    "&a ",
    "*a ",
    "---\n",
    "...\n",
    "# ",
)


class Plain(SafeConstructor):
    """Dates and times are texts, as authors see them."""


for name in ("timestamp", "merge", "value"):
    Plain.add_constructor(f"tag:yaml.org,2002:{name}", SafeConstructor.construct_yaml_str)


def mutated(chance: random.Random, text: str) -> bytes:
    """The text with one to three things wrong with it, or with nothing, in some encoding."""
    for _ in range(chance.randrange(1, 4)):
        text = _one(chance, text)
    if chance.random() < 0.1:
        text = text.replace("\n", chance.choice(["\r\n", "\r"]))
    raw = text.encode(
        chance.choice(["utf-8"] * 20 + ["utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]), "replace"
    )
    return raw[: chance.randrange(len(raw) + 1)] if chance.random() < 0.03 else raw


def _one(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    at, how = chance.randrange(len(lines)), chance.randrange(14)
    line = lines[at]
    if how == 0:
        lines.insert(at, line)
    elif how == 1:
        del lines[at]
    elif how == 2:
        other = chance.randrange(len(lines))
        lines[at], lines[other] = lines[other], line
    elif how == 3:
        lines[at] = " " * chance.randrange(12) + line.lstrip()
    elif how == 4:
        lines[at] = chance.choice(["\t", "\t\t", " \t"]) + line.lstrip()
    elif how == 5 and line:
        place = chance.randrange(len(line))
        lines[at] = line[:place] + WIDE.get(line[place], line[place]) + line[place + 1 :]
    elif how == 6:
        lines[at] = "".join(
            WIDE.get(one, one) if one in chance.choice([":", ",", '"', "0123456789"]) else one for one in line
        )
    elif how == 7:
        lines[at] = re.sub(r":.*", lambda _: ": " + chance.choice(VALUES), line, count=1)
    elif how == 8:
        lines[at] = re.sub(r"[A-Za-z_]+:", lambda _: chance.choice(KEYS) + ":", line, count=1)
    elif how == 9:
        place = chance.randrange(len(line) + 1)
        lines[at] = line[:place] + chance.choice(STRAY) + line[place:]
    elif how == 10 and line:
        place = chance.randrange(len(line))
        lines[at] = line[:place] + line[place + chance.randrange(1, 4) :]
    elif how == 11:  # an anchor and what leads to it, or is merged from it
        lines[at] = re.sub(r":(?= |$)", ": &a", line, count=1)
        later = chance.randrange(at, len(lines))
        lines[later] = re.sub(r"[\w-]+:.*", chance.choice(["<<: *a", "x: *a", "<<: [*a, *a]"]), lines[later], count=1)
    elif how == 12:  # a tab between two words
        places = [k for k, one in enumerate(line) if one == " "] or [0]
        place = chance.choice(places)
        lines[at] = line[:place] + "\t" + line[place + 1 :]
    else:
        lines[at] = re.sub(r"[\d.]+", lambda _: chance.choice(VALUES), line, count=1)
    return "\n".join(lines)


def check(folder: Path, file: Path, raw: bytes, schema: Any) -> Reading:
    """Reads the folder with the file in place; a fault has a place in it and one line, and what is accepted is what it says."""
    file.write_bytes(raw)
    reading = examine(folder, schema)
    lines = raw.decode("utf-8", "replace").count("\n") + raw.count(b"\r") + 2
    for fault in reading.faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert fault.file != str(file) or fault.line <= lines or raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        assert fault.message
        assert "\n" not in fault.message
        assert "Traceback" not in fault.message
    document, faults = parse(str(file), raw)
    if not faults:
        same_as_yaml(document, raw)
    return reading


def same_as_yaml(document: Document, raw: bytes) -> None:
    """What was accepted is what YAML 1.2 says, with no key twice, no anchor, and nothing that YAML 1.1 would turn into another."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Plain
    yaml.allow_duplicate_keys = False
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    assert document.root is not None
    ours = plain(document.root)
    theirs = yaml.load(text)
    assert _comparable(ours) == _comparable(theirs)
    for event in YAML(typ="safe", pure=True).parse(text):
        assert getattr(event, "anchor", None) is None


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _comparable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    if value is None or isinstance(value, bool | str):
        return value
    return float(value)
