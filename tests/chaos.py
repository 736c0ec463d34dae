"""Workers on a real Kafka while everything around them dies: `python tests/chaos.py --rounds 40` (also `make chaos`).

A producer sends a simulated stream; meanwhile workers are killed, stopped, paused and added, the broker is killed and started
again, and the checkpoint folder is full for a while. At the end the warnings must be those of a replay of the same events.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import msgspec
from support.kafka_server import KafkaServer
from support.workers import (
    ALIGN,
    PARTITIONS,
    Expected,
    Workers,
    committed_and_ends,
    disorder,
    read_all,
    sender,
    wait_at_rest,
    wait_drained,
)

PAUSE_SECONDS = 9  # beyond the session timeout of 6
KINDS = (*["kill"] * 6, "stop", "pause", "add", "broker", "full")
ROUND_SECONDS = 15
"""What a misfortune takes, about: the stream should last as long as they do."""


def say(text: str) -> None:
    """To whoever watches, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Producer(threading.Thread):
    """Sends the stream at a steady pace; between `hold` and `go` nothing is on its way."""

    def __init__(self, bootstrap: str, lines: list[bytes], seconds: float) -> None:
        super().__init__(daemon=True)
        self.bootstrap, self.lines, self.seconds = bootstrap, lines, seconds
        self.going, self.held = threading.Event(), threading.Event()
        self.going.set()
        self.sent = 0

    def run(self) -> None:
        size = max(1, len(self.lines) // int(self.seconds * 10))
        while self.sent < len(self.lines):
            with sender(self.bootstrap) as send:
                while self.going.is_set() and self.sent < len(self.lines):
                    begun = time.monotonic()
                    send(self.lines[self.sent : self.sent + size])
                    self.sent += size
                    time.sleep(max(0.0, 0.1 - (time.monotonic() - begun)))  # the pace
            self.held.set()
            self.going.wait()

    def hold(self) -> None:
        self.held.clear()
        self.going.clear()
        self.held.wait(60)

    def go(self) -> None:
        self.going.set()


@contextmanager
def small_disk(folder: Path):
    """A disk of its own for the checkpoints, where we may make one; gives whether it is one."""
    folder.mkdir()
    ours = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder], capture_output=True, check=False
    ).returncode  # fmt: skip
    try:
        yield ours
    finally:
        if ours:
            subprocess.run(["umount", "-l", folder], check=False)


def fill(folder: Path) -> Path:
    """Take all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            return ballast


class Chaos:
    """What may happen, each counted."""

    def __init__(
        self, server: KafkaServer, workers: Workers, producer: Producer, disk: Path | None, seed: int, kinds: list[str]
    ) -> None:
        self.server, self.workers, self.producer, self.disk = server, workers, producer, disk
        self.dice, self.kinds = random.Random(seed), kinds
        self.counts: Counter[str] = Counter()

    def victim(self) -> subprocess.Popen[bytes]:
        return self.dice.choice(self.workers.running)

    def kill(self) -> None:
        self.workers.kill(self.victim())
        self.workers.start()

    def stop(self) -> None:
        code = self.workers.kill(self.victim(), signal.SIGTERM)
        assert code == 0, f"SIGTERM ended with {code}"
        self.workers.start()

    def pause(self) -> None:
        victim = self.victim()
        self.workers.kill(victim, signal.SIGSTOP)
        time.sleep(PAUSE_SECONDS)  # until its partitions are given to others
        victim.send_signal(signal.SIGCONT)

    def add(self) -> None:
        self.workers.start()
        if len(self.workers.running) > PARTITIONS:
            self.workers.kill(self.workers.running[0], signal.SIGTERM)

    def broker(self) -> None:
        self.producer.hold()
        self.server.kill()
        self.server.start()
        self.producer.go()

    def full(self) -> None:
        if self.disk is not None:
            ballast = fill(self.disk)
            time.sleep(5)  # several checkpoints fail
            ballast.unlink()

    def round(self, number: int) -> None:
        what = self.kinds[number] if number < len(self.kinds) else self.dice.choice(self.kinds)
        self.counts[what] += 1
        say(f"  {number}: {what}, {self.producer.sent:,} of {len(self.producer.lines):,} events sent")
        getattr(self, what)()
        time.sleep(self.dice.uniform(0, 4))  # between two misfortunes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rounds", 40), ("customers", 300), ("days", 60), ("seed", 1), ("seconds", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=KINDS, help="what happens; often what is named often"
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder with the workers' logs")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="churn-chaos-"))
    with KafkaServer(folder, stamps_arrival=True) as server:
        say(f"{asked.customers} customers, {asked.days} days, seed {asked.seed}: replaying")
        expected = Expected(folder, asked.customers, asked.days, asked.seed)
        producer = Producer(server.bootstrap, expected.lines, asked.seconds or ROUND_SECONDS * asked.rounds)
        with small_disk(folder / "checkpoints") as ours, Workers(server.bootstrap, folder, expected.model) as workers:
            for _ in range(3):
                workers.start()
            chaos = Chaos(server, workers, producer, folder / "checkpoints" if ours else None, asked.seed, asked.kinds)
            producer.start()
            for number in range(asked.rounds):
                chaos.round(number)
            producer.join()
            begun = time.monotonic()
            behind = wait_drained(server.bootstrap, 900)
            wait_at_rest(server.bootstrap)
            say(f"drained {time.monotonic() - begun:.0f} s after the last event; behind: {behind}")
            codes = workers.stop_all()
            offsets = committed_and_ends(server.bootstrap)
        late = disorder(server.bootstrap)
        said = read_all(server.bootstrap)
        found, doubled = expected.compare(said)
    say(f"{dict(chaos.counts)}, {workers.started} workers started, exit codes at the end {codes}")
    say(f"disorder across topics at the broker: {late:.2f} s at most, align {ALIGN} s")
    say(f"committed = end: {all(one == end for one, end in offsets.values())} ({len(offsets)} partitions of topics)")
    say(f"{len(expected.decisions)} warnings expected, {len(said)} said, {found}; said again, equal: {doubled}")
    if asked.keep:
        (folder / "said.json").write_bytes(msgspec.json.encode(said))
        say(f"logs: {folder}")
    else:
        shutil.rmtree(folder)
    return int(bool(behind) or any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
