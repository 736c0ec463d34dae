"""The configuration as workers hand it to one another: all its files, known by their hash, and orders to work by them.

Both are records of one compacted topic, `churn.rules.v1`. A bundle's key is its hash and an order's its own, so none ever
replaces another: what was once in force can be worked by again, and the orders are the log of who put what in force.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from rules.approval import hash_of_files
from rules.faults import ConfigurationError, Fault, in_one_line
from rules.load import OTHER_FILES

RULES: Final = "rules/"
_BUNDLE, _ORDER = b"bundle/", b"order/"
Act = Literal["applied", "approved", "rolled_back", "released"]
Files = Mapping[str, bytes]


class UnreadableRecordError(ValueError):
    """A record of the topic is none of ours, or not what its key says."""


class Approval(msgspec.Struct, frozen=True):
    """Who handed in the rules of this hash (rules.approval) and who approved them."""

    rules: str
    proposed_by: str
    approved_by: str


class Order(msgspec.Struct, frozen=True):
    """Work by this bundle from now on. `version` is what warnings will say, `at` RFC 3339.

    `released`: rules that the guard holds and somebody said yes to. `rebuild`: settings that state rests on may differ, so
    engines are to be made anew from their state.
    """

    bundle: str
    version: str
    act: Act
    by: str
    at: str
    note: str = ""
    released: list[str] = []
    rebuild: bool = False
    approval: Approval | None = None


class Known(NamedTuple):
    """One record of the topic: a bundle (its hash and what `unpacked` takes) or an order."""

    bundle: tuple[str, bytes] | None = None
    order: Order | None = None


def bundle_of(folder: Path, rules: Path | None = None) -> dict[str, bytes]:
    """The files of a configuration folder by name, with its rules or those of another folder.

    Raises OSError, and ConfigurationError for names that cannot be told to others.
    """
    within = rules or (folder / "rules")
    files = [file for file in sorted(within.glob("*.yaml")) if file.is_file()]
    if strange := [file for file in files if not _is_text(file.name)]:
        message = "the file's name is no UTF-8, so workers cannot be told of it: rename it"
        raise ConfigurationError([Fault(str(file), 1, 1, message, "encoding") for file in strange])
    found = {RULES + file.name: file.read_bytes() for file in files}
    return found | {name: (folder / name).read_bytes() for name in OTHER_FILES if (folder / name).is_file()}


def _is_text(name: str) -> bool:
    """Whether a name of the file system is UTF-8; Python keeps other bytes as halves of characters."""
    return not any("\ud800" <= one <= "\udfff" for one in name)


def written(files: Files, folder: Path) -> None:
    """Lay a bundle out as a configuration folder. Raises OSError."""
    (folder / RULES).mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)


def digest(files: Files) -> str:
    """The hash that a bundle is known by: of all names and bytes."""
    return hash_of_files(files)


def rules_digest(files: Files) -> str:
    """The hash of its rules alone, as `churn rules log` shows it."""
    return hash_of_files({name.removeprefix(RULES): raw for name, raw in files.items() if name.startswith(RULES)})


def packed(files: Files) -> bytes:
    """A bundle as the value of a record."""
    return zlib.compress(msgspec.json.encode(dict(sorted(files.items()))), 9)


def unpacked(value: bytes, expected: str) -> dict[str, bytes]:
    """The files of a bundle; raises UnreadableRecordError when they are not those of this hash."""
    try:
        files = msgspec.json.decode(zlib.decompress(value), type=dict[str, bytes])
    except (zlib.error, msgspec.MsgspecError) as error:
        raise UnreadableRecordError(f"bundle {expected[:12]} cannot be read: {error}") from error
    if digest(files) != expected:
        raise UnreadableRecordError(f"bundle {expected[:12]} is not what its key says")
    if strange := [name for name in files if not _belongs(name)]:
        raise UnreadableRecordError(f"bundle {expected[:12]} holds `{strange[0]}`, which is no file of a configuration")
    return files


def _belongs(name: str) -> bool:
    """Whether a file may be laid out under this name."""
    plain = name.removeprefix(RULES)
    return name in OTHER_FILES or (name != plain and "/" not in plain and "\0" not in plain and plain.endswith(".yaml"))


def bundle_record(files: Files) -> tuple[bytes, bytes]:
    """Key and value."""
    return _BUNDLE + digest(files).encode(), packed(files)


def order_record(order: Order) -> tuple[bytes, bytes]:
    """Key and value."""
    value = msgspec.json.encode(order)
    return _ORDER + hashlib.sha256(value).hexdigest().encode(), value


def known(key: bytes | None, value: bytes | None) -> Known:
    """What a record says. Raises UnreadableRecordError."""
    if key is not None and value is not None and key.startswith(_BUNDLE):
        return Known(bundle=(key.removeprefix(_BUNDLE).decode("ascii", "replace"), value))
    if key is not None and value is not None and key.startswith(_ORDER):
        try:
            return Known(order=msgspec.json.decode(value, type=Order))
        except msgspec.MsgspecError as error:
            raise UnreadableRecordError(f"no order: {error}") from error
    raise UnreadableRecordError(f"key {key!r} is none of ours")


def in_words(orders: Iterable[Order]) -> list[str]:
    """The orders for a terminal, the newest last."""
    said: Mapping[Act, str] = {
        "applied": "applied",
        "approved": "approved",
        "rolled_back": "rolled back to",
        "released": "released",
    }
    return [
        f"{one.at}  {said[one.act]:<14} {', '.join(one.released) or f'configuration {one.bundle[:12]}'}  version {one.version}  "
        + in_one_line(f"by {one.by}" + (f"  ({one.note})" if one.note else ""))
        for one in orders
    ]
