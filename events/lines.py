"""Where the objects of a chunk of bytes are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.columns import Origin, place
from events.compiled import compiled

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINE_FEED, CARRIAGE_RETURN = 10, 13


class Objects(NamedTuple):
    """The objects of `raw`, which may not overlap: `starts`, `ends`, and `lines` as it goes into EVENT.line (i8).

    `total`: lines or records that there were, blank ones too.
    """

    raw: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    origins: list[Origin]
    total: int

    def text(self, position: int) -> bytes:
        """The bytes of an object."""
        return self.raw[int(self.starts[position]) : int(self.ends[position])]

    def place(self, position: int) -> str:
        """`file:line` or `topic/partition/offset` of an object."""
        return place(self.origins, int(self.starts[position]), int(self.lines[position]))


def objects_of_lines(raw: bytes, source: str, first_line: int) -> Objects:
    """One object per line that is not blank; a byte order mark at the beginning of a file is not part of the first."""
    data = np.frombuffer(raw, np.uint8)
    feeds = np.flatnonzero(data == LINE_FEED)
    starts, ends, lines = split_lines(data, feeds, first_line)
    if first_line == 1 and len(starts) and starts[0] == 0 and raw.startswith(BYTE_ORDER_MARK):
        starts[0] = len(BYTE_ORDER_MARK)
    total = len(feeds) + (len(raw) > 0 and not raw.endswith(b"\n"))
    return Objects(raw, starts, ends, lines, [Origin(0, source, ":", 0)], total)


@compiled
def split_lines(
    data: NDArray[np.uint8], feeds: NDArray[np.int64], first_line: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, end and number of every line that is not blank, without its line feed and a carriage return before it."""
    size = len(feeds) + 1
    starts, ends, lines = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    count, start = 0, 0
    for index in range(size):
        feed = feeds[index] if index < len(feeds) else len(data)
        end = feed - 1 if feed > start and data[feed - 1] == CARRIAGE_RETURN else feed
        if not is_blank(data, start, end):
            starts[count], ends[count], lines[count] = start, end, first_line + index
            count += 1
        start = feed + 1
    return starts[:count], ends[:count], lines[:count]


@compiled
def is_blank(data: NDArray[np.uint8], start: int, end: int) -> bool:
    """Whether there is only white space."""
    position = start
    while position < end and data[position] in (9, CARRIAGE_RETURN, 32):
        position += 1
    return position == end
