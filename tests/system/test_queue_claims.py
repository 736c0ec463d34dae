"""`churn queue` as several people run it at once."""

from __future__ import annotations

import os
import subprocess
import sys

import redis
from support.warnings_made import TIERS, warning

from sinks.queues.delivery import Delivery
from sinks.queues.looking import Queues

CHURN = (sys.executable, "-c", "from streams.entry import main; main()", "queue")


def at_once(url: str, *commands: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Exit code, output and message of commands that run together."""
    environment = {**os.environ, "CHURN_REDIS_URL": url, "PYTHONUTF8": "1"}
    running = [
        subprocess.Popen([*CHURN, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)
        for command in commands
    ]
    said = [process.communicate() for process in running]
    return [(process.returncode, *texts) for process, texts in zip(running, said, strict=True)]


def test_of_several_processes_that_claim_an_item_one_has_it(client: redis.Redis, redis_url: str) -> None:
    Delivery(client, TIERS).deliver([warning("w1")])

    done = at_once(redis_url, *(("claim", "w1", "--agent", f"agent {number}") for number in range(5)))
    holder = Queues(client).find("w1").agent
    assert sorted(code for code, _, _ in done) == [0, 1, 1, 1, 1]
    assert [said for code, _, said in done if code == 1] == [f"w1 is claimed by {holder}\n"] * 4
    assert [code for code, out, _ in done if f"\t{holder}\t" in out] == [0]


def test_several_processes_that_claim_the_most_urgent_get_one_each(client: redis.Redis, redis_url: str) -> None:
    Delivery(client, TIERS).deliver([warning(f"w{number}") for number in range(3)])

    done = at_once(redis_url, *(("claim", "--agent", f"agent {number}") for number in range(5)))
    assert sorted(code for code, _, _ in done) == [0, 0, 0, 1, 1]
    assert sorted(out.split("\t")[0] for code, out, _ in done if code == 0) == ["w0", "w1", "w2"]
