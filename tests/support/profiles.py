"""How many examples a property test takes: its own number, or under the fuzz profile as many times more as that asks for."""

from __future__ import annotations

import os

USUAL = 100  # hypothesis' own default, which FUZZ_EXAMPLES is to be compared with


def fuzz_examples() -> int:
    """What `make fuzz` takes for a test that sets no number."""
    return int(os.environ.get("FUZZ_EXAMPLES", "20000"))


def examples(usual: int) -> int:
    """`max_examples` for a test that can afford `usual` of them in `make test`."""
    if os.environ.get("HYPOTHESIS_PROFILE", "default") != "fuzz":
        return usual
    return max(1, usual * fuzz_examples() // USUAL)
