"""Rule sets to load while an engine runs: the quick ones, each differing in what its warnings show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.engine import Engine
from models.champion import Champion
from rules.check import accepted
from rules.load import Configuration, load
from streams.bootstrap import schema
from streams.live.bundle import bundle_of, digest, packed
from streams.live.journal import Reload
from streams.live.library import Library, Make
from support.engines import QUICK, frozen

QUICK_RULES = "rules/quick.yaml"


def quick(**edits: str) -> dict[str, bytes]:
    """The quick configuration, with texts of its rules replaced."""
    return edited(bundle_of(QUICK), edits)


def edited(files: dict[str, bytes], edits: dict[str, str], name: str = QUICK_RULES) -> dict[str, bytes]:
    """A bundle with some text of a file replaced."""
    text = files[name].decode()
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new)
    return files | {name: text.encode()}


def read(folder: Path) -> Configuration:
    """A folder's configuration, without the environment."""
    return load(folder, schema(), {})


def accept(folder: Path) -> Configuration:
    """The same, of one that may be taken up."""
    return accepted(folder, schema(), {})


def make(configuration: Configuration, saved: dict[str, Any] | None) -> Engine:
    """An engine with a model that learns nothing, fresh or as it was saved."""
    return made_with(frozen(), configuration, saved)


def made_with(model: Champion, configuration: Configuration, saved: dict[str, Any] | None) -> Engine:
    """An engine with this model, fresh or as it was saved."""
    engine = Engine(configuration, model)
    if saved is not None:
        engine.restore(saved)
    return engine


def library_of(*bundles: dict[str, bytes], make: Make = make) -> tuple[Library, list[str]]:
    """A library of bundles, and their hashes in this order."""
    library = Library(read, make, ready=100)
    for files in bundles:
        library.add(digest(files), packed(files))
    return library, [digest(files) for files in bundles]


def orders_of(digests: list[str]) -> list[Reload]:
    """One order after the other to work by these."""
    return [Reload(number, one) for number, one in enumerate(digests)]


NEVER_TRUE = """version: 1
groups:
  - name: never
    rules:
      - {alert: Never, id: never, tier: watch, expr: uses_7d < 1 and uses_7d > 2, reason: never,
         text: {en: "Never", zh-CN: "从不"}}
"""
