"""Models as bytes: a zip of plain arrays and one JSON object, no pickle, with the versions that wrote it."""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
META = "meta"


class ModelFileError(ValueError):
    """The bytes are not a model this version can use; the message says why."""


def versions() -> dict[str, str]:
    """The versions that a model depends on."""
    found = {}
    for package in ("churn-early-warning", "river", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "unknown"
    return found


def pack(arrays: Mapping[str, NDArray[np.generic]], meta: Mapping[str, Any]) -> bytes:
    """Arrays and facts as bytes, the same for the same content."""
    text = json.dumps({"format": FORMAT, "versions": versions(), **meta}, sort_keys=True, ensure_ascii=False)
    buffer = io.BytesIO()
    content: dict[str, Any] = {META: np.frombuffer(text.encode(), np.uint8), **arrays}
    np.savez_compressed(buffer, **content)
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[dict[str, NDArray[np.generic]], dict[str, Any]]:
    """Arrays and facts of `pack`, the caller's own.

    Raises:
        ModelFileError: the bytes are damaged, something else, or of a newer format.
    """
    arrays, meta = _inflated(data)
    return {name: array.copy() for name, array in arrays.items()}, dict(meta)


@lru_cache(maxsize=1)  # a worker unpacks one model for every partition
def _inflated(data: bytes) -> tuple[dict[str, NDArray[np.generic]], dict[str, Any]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(META).tobytes())
        found = meta["format"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelFileError("not a saved model, or a damaged one") from error
    if found != FORMAT:
        raise ModelFileError(f"saved in format {found}, this version reads format {FORMAT}")
    return arrays, meta


def under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The same arrays, their names behind a prefix."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def part(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays behind a prefix, without it."""
    return {name[len(prefix) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{prefix}.")}
