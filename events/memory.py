"""Reading bytes in compiled code without what a numpy index costs.

An index into an array may be negative, and numba looks each time; and eight bytes cannot be read as one number where
they are not aligned. Both cost a scanner of text most of its time. These read straight from memory: positions
are not checked, so the caller makes sure that they are within the array. And what will be needed can be asked for ahead.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from events.compiled import compiled

CACHE_LINE = 64
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


def prefetcher(itemsize: int) -> Codegen:
    """Machine code that asks for every cache line of one item of an array."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte = ir.IntType(8).as_pointer()
        item = builder.bitcast(builder.gep(array.data, [arguments[1]], inbounds=True), byte)
        number = ir.IntType(32)
        ask = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        )
        for at in range(0, itemsize, CACHE_LINE):
            line = builder.gep(item, [ir.Constant(ir.IntType(64), at)])
            builder.call(ask, [line, *(ir.Constant(number, flag) for flag in (0, 3, 1))])  # to read, to keep, data
        return context.get_dummy_value()

    return codegen


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(context: Any, array: Any, index: Any) -> tuple[Any, Codegen]:  # noqa: ARG001
    """Ask for an item of an array of records or numbers, so that it is near when it is read a little later."""
    record = isinstance(array.dtype, types.Record)
    return types.none(array, types.int64), prefetcher(array.dtype.size if record else array.dtype.bitwidth // 8)


@compiled(inline=True, borrows=True)
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


_HIGH = np.uint64(0x8080808080808080)


@compiled
def _tail(data: NDArray[np.uint8], first: int, many: int) -> bool:
    """Whether so many continuation bytes follow."""
    for position in range(first, first + many):  # noqa: SIM110 - compiled
        if byte_at(data, position) & 0xC0 != 0x80:
            return False
    return True


@compiled
def valid_utf8(data: NDArray[np.uint8], length: int) -> bool:
    """Whether the first `length` bytes are UTF-8 (the table of RFC 3629, section 4); PADDING follows them."""
    position = 0
    while position < length:
        if word_at(data, position) & _HIGH == 0:
            position += 8
            continue
        byte = byte_at(data, position)
        if byte < 0x80:
            position += 1
            continue
        second = byte_at(data, position + 1)
        if 0xC2 <= byte <= 0xDF:
            many, right = 1, True
        elif 0xE0 <= byte <= 0xEF:
            many, right = 2, (byte != 0xE0 or second >= 0xA0) and (byte != 0xED or second < 0xA0)
        elif 0xF0 <= byte <= 0xF4:
            many, right = 3, (byte != 0xF0 or second >= 0x90) and (byte != 0xF4 or second < 0x90)
        else:
            return False
        if not right or not _tail(data, position + 1, many):
            return False
        position += many + 1
    return True
