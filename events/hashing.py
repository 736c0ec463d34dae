"""hash64: one 64-bit hash of bytes for all ids, the same in compiled code and from Python, on every machine.

Eight bytes at a time are mixed in by a multiplication and a shift, and the result goes through the finaliser of
splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), which lets every input
bit reach every output bit. Python's own `hash` is salted per process and would not survive a restart.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from events.compiled import compiled
from events.memory import padded, short_word_at, word_at

SEED = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
FINAL_1 = np.uint64(0xBF58476D1CE4E5B9)
FINAL_2 = np.uint64(0x94D049BB133111EB)
NOTHING = np.uint64(0)
"""Never the hash of anything: stands for an absent id."""


@compiled(inline=True)
def finalise(value: np.uint64) -> np.uint64:
    """Let every bit of the value reach every bit of the result, which is never 0."""
    value = (value ^ (value >> np.uint64(30))) * FINAL_1
    value = (value ^ (value >> np.uint64(27))) * FINAL_2
    value = value ^ (value >> np.uint64(31))
    return SEED if value == NOTHING else value


@compiled(inline=True, borrows=True)
def hash_bytes(data: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """The hash of data[start:end]; PADDING follows the data."""
    state = SEED ^ (np.uint64(end - start) * MULTIPLIER)
    position = start
    while position + 8 <= end:
        state = (state ^ word_at(data, position)) * MULTIPLIER
        state ^= state >> np.uint64(32)
        position += 8
    word = short_word_at(data, position, end - position)
    return finalise((state ^ word) * MULTIPLIER)


@compiled(inline=True)
def combine(first: np.uint64, second: np.uint64) -> np.uint64:
    """One hash of two, in this order; either may be 0 (absent)."""
    return finalise((first ^ (second >> np.uint64(29))) * MULTIPLIER + second * FINAL_2 + SEED)


@compiled(inline=True)
def event_key(kind: int, source: np.uint64, event_id: np.uint64) -> np.uint64:
    """What two deliveries of one event share (with the customer): type, source and event_id."""
    return combine(combine(source, np.uint64(kind)), event_id)


@compiled
def hash_slices(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The hash of each of the slices that follow one another in `data`, which PADDING follows."""
    hashes = np.empty(len(ends), np.uint64)
    start = 0
    for index in range(len(ends)):
        hashes[index] = hash_bytes(data, start, ends[index])
        start = ends[index]
    return hashes


@compiled
def event_keys(
    kinds: NDArray[np.uint8], sources: NDArray[np.uint64], event_ids: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """`event_key` for whole columns."""
    keys = np.empty(len(kinds), np.uint64)
    for index in range(len(kinds)):
        keys[index] = event_key(int(kinds[index]), sources[index], event_ids[index])
    return keys


def pack(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The UTF-8 bytes of all texts, one after another (u1[bytes], then PADDING), and where each ends (i8[texts])."""
    joined = "".join(texts)
    if joined.isascii():
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return padded(joined.encode("ascii")), np.cumsum(lengths)
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    return padded(b"".join(encoded)), np.cumsum(lengths)


def hash64(text: str) -> int:
    """The hash of one text's UTF-8 bytes."""
    data = text.encode()
    return int(hash_bytes(padded(data), 0, len(data)))


def hash_texts(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """The hash of each text (u8[texts]); 0 for None."""
    hashes = hash_slices(*pack([text or "" for text in texts]))
    absent = np.fromiter((text is None for text in texts), np.bool_, len(texts))
    hashes[absent] = NOTHING
    return hashes
