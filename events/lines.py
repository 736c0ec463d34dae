"""Where the objects of a chunk of bytes are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.columns import Origin, place
from events.compiled import compiled

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Objects(NamedTuple):
    """The objects of `raw`, which may not overlap: `starts`, `ends`, and `lines` as it goes into EVENT.line (i8)."""

    raw: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    origins: list[Origin]

    def text(self, position: int) -> bytes:
        """The bytes of an object."""
        return self.raw[int(self.starts[position]) : int(self.ends[position])]

    def place(self, position: int) -> str:
        """`file:line` or `topic/partition/offset` of an object."""
        return place(self.origins, int(self.starts[position]), int(self.lines[position]))


def objects_of_lines(raw: bytes, source: str, first_line: int) -> Objects:
    """One object per line that is not blank; a byte order mark at the beginning of a file is not part of the first."""
    starts, ends, numbers = split_lines(np.frombuffer(raw, np.uint8), first_line)
    if first_line == 1 and len(starts) and starts[0] == 0 and raw.startswith(BYTE_ORDER_MARK):
        starts[0] = len(BYTE_ORDER_MARK)
    return Objects(raw, starts, ends, numbers, [Origin(0, source, ":", 0)])


def count_lines(raw: bytes) -> int:
    """How many lines there are, the last one with or without its newline."""
    return raw.count(b"\n") + (len(raw) > 0 and not raw.endswith(b"\n"))


@compiled
def split_lines(
    data: NDArray[np.uint8], first_line: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, end and number of every line that is not blank, without its line feed and a carriage return before it."""
    size = 1
    for byte in data:
        size += byte == 10
    starts, ends, numbers = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    count, start, line, blank = 0, 0, first_line, True
    for position in range(len(data) + 1):
        if position < len(data) and data[position] != 10:
            blank = blank and data[position] in (9, 13, 32)
            continue
        if not blank:
            starts[count] = start
            ends[count] = position - 1 if data[position - 1] == 13 else position
            numbers[count] = line
            count += 1
        start, line, blank = position + 1, line + 1, True
    return starts[:count], ends[:count], numbers[:count]
