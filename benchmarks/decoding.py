"""The bare msgspec decode of a file, for comparison: every line through the typed decoder, the result thrown away."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from events.contract import DECODER

CHUNK_BYTES = 1 << 20


def main() -> None:
    """Decode the file named on the command line and print events and seconds as JSON."""
    count = 0
    began = time.perf_counter()
    with Path(sys.argv[1]).open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            count += len(DECODER.decode_lines(chunk + file.readline()))
    print(json.dumps({"events": count, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
