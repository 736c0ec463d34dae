"""Memory of large arrays that are filled at once and grow later."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, Final

import numpy as np
import numpy.typing as npt

LARGE: Final = 4 << 20
"""Bytes from which numpy asks for large pages."""
_ADVICE: Final = getattr(mmap, "MADV_HUGEPAGE", None)
_madvise: Final[Any] = getattr(ctypes.CDLL(None), "madvise", None)


def growable(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array of anything, in memory of large pages where there are (to be given small ones takes as long as to fill them), which
    `resize` can grow in place.

    numpy asks for large pages too, but not for the first and the last: what is divided so the system does not move, and growing
    would copy it all. A refusal does no other harm.
    """
    array: npt.NDArray[Any] = np.empty(shape, dtype)
    if array.nbytes >= LARGE and _ADVICE is not None and _madvise is not None:
        first = array.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
        last = -(-(array.ctypes.data + array.nbytes) // mmap.PAGESIZE) * mmap.PAGESIZE
        _madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _ADVICE)
    return array
