"""Where events go: a file by its suffix, standard output, or any open binary stream; and the truth as CSV."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from simulator.fates import Fate
from simulator.run import Operator, cause_name

TRUTH_FIELDS = ("customer_id", "churned_at", "cause", "voluntary", "shown", "manner", "story_from")


@contextmanager
def opened(out: Path | str | BinaryIO) -> Iterator[BinaryIO]:
    """A binary sink for `.jsonl`, `.jsonl.gz`, `.jsonl.zst`, `-` (standard output), or an open binary stream as it is.

    Raises ValueError for another suffix, and OSError.
    """
    if not isinstance(out, Path | str):
        yield out
        return
    if str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(out).open("wb") as raw, _compressed(str(out), raw) as sink:
        yield sink


@contextmanager
def _compressed(name: str, raw: BinaryIO) -> Iterator[BinaryIO]:
    if name.endswith(".gz"):  # neither name nor time inside, so that the same seed gives the same bytes
        with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as sink:
            yield cast(BinaryIO, sink)
    elif name.endswith(".zst"):
        with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as sink:
            yield cast(BinaryIO, sink)
    elif name.endswith(".jsonl"):
        yield raw
    else:
        raise ValueError(f"{name}: expected a name ending in .jsonl, .jsonl.gz or .jsonl.zst, or -")


def write_truth(operator: Operator, path: Path) -> None:
    """Leavers to `path`, and next to it `<stem>.stayers.csv`: those who went through a story and stayed."""
    _write(operator, [fate for fate in operator.fates if fate.leaves], path)
    _write(operator, [fate for fate in operator.fates if not fate.leaves], path.with_name(f"{path.stem}.stayers.csv"))


def _write(operator: Operator, fates: list[Fate], path: Path) -> None:
    """One row per story; `churned_at` is empty for stayers, `shown` is none, some or plain."""
    people, stamp = operator.world.people, operator.clock.stamp
    with _named(path), path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(TRUTH_FIELDS)
        for fate in fates:
            rows.writerow(
                (
                    people.ids[fate.who],
                    stamp(fate.ends) if fate.leaves else "",
                    cause_name(fate),
                    str(fate.voluntary).lower(),
                    fate.shown,
                    fate.manner if fate.leaves else "",
                    operator.clock.day(fate.begins).isoformat(),
                )
            )


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Raises the OSError of what it holds with the path in it: a full disk does not say where."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
