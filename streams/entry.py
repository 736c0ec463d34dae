"""The program `churn`. Agents type `churn queue ...` all day: it starts without what only the engine needs. While a worker
starts (`churn run`) events wait: it does without the other commands.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["queue"]:
        import_module("streams.commands.care_queue").queue(args=sys.argv[2:], prog_name="churn queue")
    elif sys.argv[1:2] == ["run"]:
        import_module("streams.leaving").leave_when_told()
        import_module("streams.lean").start_lean()
        import_module("streams.commands.live").worker(args=sys.argv[2:], prog_name="churn run")
    else:
        import_module("streams.commands.root").main()
