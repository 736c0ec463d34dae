"""Reading bytes in compiled code without what a numpy index costs.

An index into an array may be negative, and numba looks each time; and eight bytes cannot be read as one number where
they are not aligned. Both cost a scanner of text most of its time. These two read straight from memory: positions
are not checked, so the caller makes sure that they are within the array.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from events.compiled import compiled

PADDING = bytes(16)
"""Follows bytes that are read word by word, so that a word may begin at the last of them."""

Codegen = Callable[[Any, Any, Any, Any], Any]


def loader(bits: int) -> Codegen:
    """Machine code that loads an integer of this many bits from the byte at a position."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(array.data, [arguments[1]], inbounds=True)
        pointer = builder.bitcast(pointer, ir.PointerType(ir.IntType(bits)))
        return builder.load(pointer, align=1)

    return codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba's stubs leave it untyped
def byte_at(_: Any, data: Any, position: Any) -> tuple[Any, Codegen]:  # noqa: ARG001  (only their types matter)
    """The byte at a position of a u1 array."""
    return types.uint8(data, types.int64), loader(8)


@intrinsic  # type: ignore[untyped-decorator]
def word_at(_: Any, data: Any, position: Any) -> tuple[Any, Codegen]:  # noqa: ARG001  (only their types matter)
    """The eight bytes from a position of a u1 array as one number, the first byte lowest (little-endian machines)."""
    return types.uint64(data, types.int64), loader(64)


@compiled(inline=True)
def short_word_at(data: NDArray[np.uint8], position: int, length: int) -> np.uint64:
    """The first `length` bytes (at most eight) from a position as one number; 0 when `length` is not positive."""
    word: np.uint64 = word_at(data, position)
    if length >= 8:
        return word
    if length <= 0:
        return np.uint64(0)
    return word & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))


def padded(data: bytes) -> NDArray[np.uint8]:
    """The bytes (u1[bytes + 16]) followed by PADDING."""
    return np.frombuffer(data + PADDING, np.uint8)
