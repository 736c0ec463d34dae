"""How many warnings a second the care queues take, and how many claims they answer.

`python -m benchmarks.queues [WARNINGS]` starts a redis-server of its own on a free loopback port, once for each way of
writing its log, and prints JSON. The warnings are as long as real ones (2 KB) and half of them are elevated.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from rules.early_warning import EarlyWarning, EpisodeStatus, ProposedAction, RuleHit, WarningReason
from sinks.queues.connection import connect
from sinks.queues.delivery import Delivery, encoded
from sinks.queues.work import Resolution, Work

TIERS = ("watch", "warning", "critical")
BATCH = 1_000
WORKED = 500
"""Items that are claimed, acknowledged and resolved."""
READY = b"Ready to accept connections"


@contextmanager
def server(fsync: str) -> Iterator[str]:
    """The URL of an empty Redis that logs as it should for care queues (`always`), or as it does by default."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    log = ("--appendonly", "yes", "--appendfsync", fsync, "--save", "")
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, *log]  # found by PATH
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            while process.stdout is not None and READY not in process.stdout.readline():
                pass
            yield f"redis://127.0.0.1:{port}/0"
            process.kill()


def warning(number: int, revision: int) -> EarlyWarning:
    """One of real length."""
    said = {
        "en": "Within a month 17% of calls and sessions failed or dropped",
        "zh-CN": "近一月有17%的通话和上网出现失败或掉线",
    }
    reason = WarningReason("network_pain", "network", "trouble_rate_30d", 0.169231, None, 0.63, said, sayable=True)
    return EarlyWarning(
        warning_id=f"{number:024x}",
        revision=revision,
        status=EpisodeStatus.RAISED if revision == 1 else EpisodeStatus.ELEVATED,
        status_reason=None,
        customer_id=f"c{number:07d}",
        account_id=None,
        raised_at="2026-01-01T00:00:00.000000Z",
        decided_at="2026-01-01T00:00:00.000000Z",
        tier=TIERS[number % 2 + revision - 1],
        risk=None,
        horizon_days=30,
        cause="network",
        rules=(RuleHit("network-pain", "watch"),),
        reasons=(reason,) * 5,
        actions=(ProposedAction("network_check", said, 10.0, needs_approval=False),) * 2,
        value_class="mid",
        lifecycle="growth",
        queue="care" if number % 5 else "high-value",
        ack_by=f"2026-01-{number % 27 + 1:02}T06:00:00.000000Z",
        resolve_by="2026-02-01T10:00:00.000000Z",
        held_out=False,
        versions={"engine": "0.1.0", "rules": "91e1badce480", "model": "none"},
    )


def cpu(client: redis.Redis) -> float:
    """Seconds of processor that the server has used."""
    used = client.info("cpu")
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


def measure(url: str, warnings: int) -> dict[str, Any]:
    """Figures of one server."""
    raised = [warning(number, 1) for number in range(warnings * 2 // 3)]
    decisions = raised + [warning(number, 2) for number in range(warnings - len(raised))]
    with connect(url) as client:
        delivery, work = Delivery(client, TIERS), Work(client)
        own, its = time.process_time(), cpu(client)
        began = time.perf_counter()
        for first in range(0, len(decisions), BATCH):
            delivery.deliver(decisions[first : first + BATCH])
        delivered = time.perf_counter() - began
        own, its = time.process_time() - own, cpu(client) - its
        memory = client.info("memory")["used_memory"]
        began = time.perf_counter()
        for _ in range(WORKED):
            item = work.claim_next("agent").warning_id
            work.ack(item, "agent")
            work.resolve(item, Resolution(outcome="retained"), "agent")
        worked = time.perf_counter() - began
    return {
        "bytes_of_a_warning": len(encoded(decisions[0])),
        "warnings_per_second": round(len(decisions) / delivered),
        "cpu_microseconds_of_a_warning": {
            "worker": round(own / len(decisions) * 1e6),
            "redis": round(its / len(decisions) * 1e6),
        },
        "memory_per_item_with_stream_bytes": round(memory / len(raised)),
        "claim_ack_resolve_per_second": round(WORKED / worked),
    }


def main() -> None:
    """Print the figures."""
    warnings = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    found = {}
    for fsync in ("always", "everysec"):
        with server(fsync) as url:
            found[fsync] = measure(url, warnings)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
