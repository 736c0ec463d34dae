"""`make fuzz`: many broken rule files, each refused with a place or meaning what it says, within seconds.

    python tests/fuzz_rules.py --files 10000 --seed 1

Ends with 1 and leaves the file that was not (`fuzz-rules.yaml`).
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from support.yaml_mutations import check, mutated

import rules.load
from rules.yaml_source import parse
from streams.bootstrap import schema

ROOT = Path(__file__).parents[1]
LONGEST = 20  # seconds for one file


def main() -> int:
    """Break files until enough were tried."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    quick = ROOT / "tests" / "testdata" / "quick"
    sources = [one for one in sorted((ROOT / "config" / "rules").glob("*.yaml")) if not one.name.endswith("_test.yaml")]
    texts, known = [one.read_text() for one in sources], schema()
    signal.signal(signal.SIGALRM, too_long)
    chance, refused, began = random.Random(given.seed), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        for one in ("churn.yaml", "actions.yaml", "workdays.yaml"):
            (folder / one).write_bytes((quick / one).read_bytes())
        remember(folder)
        file = folder / "rules" / "broken.yaml"
        for number in range(given.files):
            raw = mutated(chance, chance.choice(texts))
            signal.alarm(LONGEST)
            try:
                refused += bool(check(folder, file, raw, known).faults)
            except BaseException:
                Path("fuzz-rules.yaml").write_bytes(raw)
                sys.stderr.write(f"file {number} of seed {given.seed}: see fuzz-rules.yaml\n")
                raise
            signal.alarm(0)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{given.files} files: {refused} refused, {given.files - refused} read, {seconds:.0f} s\n")
    return 0


def too_long(*_: object) -> None:
    """What an alarm does."""
    raise TimeoutError(f"more than {LONGEST} s")


def remember(folder: Path) -> None:
    """Parse the files that are never broken once."""
    good = {one.read_bytes(): parse(str(one), one.read_bytes()) for one in folder.glob("*.yaml")}

    def remembered(file: str, raw: bytes) -> Any:
        return good.get(raw) or parse(file, raw)

    rules.load.parse = remembered


if __name__ == "__main__":
    sys.exit(main())
