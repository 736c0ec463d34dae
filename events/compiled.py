"""`compiled`: numba's njit with a cache on disk that follows every source file of ours.

numba's own cache looks at the file of the function it compiles and at nothing else: a compiled function that calls
another file's compiled function (or reads its constants) would keep running the old machine code after that file was
edited. So every module has a cache folder named by a hash of it and of all of ours that it imports, at any remove, and of
the versions that make the machine code; only a module's newest few folders are kept.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast, overload

import numba
import numpy as np
from numba import njit

PACKAGES = ("events", "customers", "population", "detectors", "models", "rules", "engine", "sinks", "streams")
"""The packages whose sources decide the cache folder."""

MENTIONED = re.compile(rf"\b(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
FROM_IMPORT = re.compile(rf"^\s*from ((?:{'|'.join(PACKAGES)})(?:\.\w+)*) import (\([^)]*\)|.*)", re.MULTILINE)

APPLICATION = "churn-early-warning"
KEEP_FOLDERS = 4
KEEP_SECONDS = 86_400.0

_CACHE_GIVEN = "NUMBA_CACHE_DIR" in os.environ  # somebody who sets it wants it there

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def compiled(function: Function, /) -> Function: ...


@overload
def compiled(*, inline: bool = False, nogil: bool = False, borrows: bool = False) -> Callable[[Function], Function]: ...


def compiled(
    function: Function | None = None, /, *, inline: bool = False, nogil: bool = False, borrows: bool = False
) -> Function | Callable[[Function], Function]:
    """Compile a function to machine code on its first call, and keep the result on disk.

    `inline` has LLVM put the function into every compiled caller (for small helpers in a hot loop: passing one array
    costs seven arguments). `nogil` lets other threads run meanwhile. `borrows` keeps no count of who refers to the arrays
    passed in, which costs an atomic operation that waits for every store before it: for functions called for each event
    that neither make nor return an array (making one is a compile error, returning one would be a fault). Division by zero gives infinity or NaN as in
    numpy, indices are not checked, and fast-math stays off: results must not depend on how a loop was vectorised.
    """

    def decorate(target: Function) -> Function:
        if not _CACHE_GIVEN:
            vars(numba.config)["CACHE_DIR"] = str(choose_folder(target.__module__))
        wrapped: Any = njit(
            cache=True,
            forceinline=inline,
            nogil=nogil,
            _nrt=not borrows,  # given always: an option left out is the caller's
            error_model="numpy",
            boundscheck=False,
            fastmath=False,
        )(target)
        return cast(Function, wrapped)

    return decorate if function is None else decorate(function)


def package_folders() -> Iterable[Path]:
    """The folder of each of our packages that is installed."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            yield Path(folder)


@cache
def our_sources() -> dict[str, str]:
    """The text of every module of ours by its dotted name."""
    return {
        ".".join([folder.name, *path.relative_to(folder).with_suffix("").parts]).removesuffix(
            ".__init__"
        ): path.read_text("utf-8")
        for folder in package_folders()
        for path in sorted(folder.rglob("*.py"))
    }


def imported(source: str) -> set[str]:
    """The dotted names of our modules that a source may import; a name too many does no harm."""
    names = set(MENTIONED.findall(source))
    for package, members in FROM_IMPORT.findall(source):
        names.update(f"{package}.{member}" for member in re.findall(r"\w+", members))
    return names


@cache
def imports() -> dict[str, set[str]]:
    """The modules of ours that each module imports itself, and itself."""
    sources = our_sources()
    return {name: {name, __name__, *(imported(source) & sources.keys())} for name, source in sources.items()}


def sources_hash(module: str) -> str:
    """A name for the state of numba, numpy, Python, of a module of ours and of all that it imports at any remove."""
    sources, direct = our_sources(), imports()
    todo, seen = [module], set[str]()
    while todo:
        new = direct.get(todo.pop(), set()) - seen
        todo.extend(new)
        seen |= new
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__} {sys.version}".encode())
    for name in sorted(seen):
        digest.update(f"\0{name}\0{sources[name]}".encode())
    return digest.hexdigest()[:16]


def user_cache() -> Path:
    """The user's cache directory (XDG base directory specification)."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return configured if configured.is_absolute() else Path.home() / ".cache"


@cache
def choose_folder(module: str) -> Path:
    """The cache folder of this state of a module, made if need be; a new temporary one where it cannot be."""
    try:
        root = user_cache() / APPLICATION
        folder = root / f"{module}-{sources_hash(module)}"
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        if not os.access(folder, os.W_OK):
            raise PermissionError(folder)
        prune(root, folder)
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return Path(tempfile.mkdtemp(prefix=APPLICATION))
    return folder


def prune(root: Path, current: Path) -> None:
    """Delete a module's older cache folders; those used within a day stay, another process may be writing there."""

    def used_at(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    module = current.name.rpartition("-")[0]
    others = sorted((path for path in root.glob(f"{module}-*") if path != current), key=used_at, reverse=True)
    for path in others[KEEP_FOLDERS - 1 :]:
        if used_at(path) < time.time() - KEEP_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
