"""The scripts: each is one atomic step on one queue. Redis forgets them when it starts; then they are loaded again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any, NamedTuple

import redis

from sinks.queues import keys

_FOLDER = Path(__file__).parent / "lua"
NAMES = ("ack", "claim", "home", "move", "put", "release", "resolve", "sweep")
_ALONE = frozenset(("home",))
"""Scripts on keys of their own, without the prelude of a queue."""

Value = str | bytes | int


class Step(NamedTuple):
    """One run of a script."""

    script: str
    keys: list[str]
    arguments: list[Value]


@cache
def text(name: str) -> str:
    """A script's source."""
    own = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
    return own if name in _ALONE else (_FOLDER / "prelude.lua").read_text(encoding="utf-8") + own


@cache
def digest(name: str) -> str:
    """What Redis calls it."""
    return sha1(text(name).encode(), usedforsecurity=False).hexdigest()


def on_queue(script: str, queue: str, clock: Callable[[], int] | None, *arguments: Value) -> Step:
    """A step of a queue; `clock` gives milliseconds UTC instead of the server's own clock."""
    return Step(script, keys.of_scripts(queue), [keys.items(queue), "" if clock is None else clock(), *arguments])


def run(client: redis.Redis, steps: Sequence[Step]) -> list[Any]:
    """The answers of steps, run in this order in one round trip; raises redis.RedisError.

    After a failure any of them may have happened. Steps may be run again: a put and a move change nothing twice, the
    others are run alone.
    """
    answers = _once(client, steps)
    if any(isinstance(answer, redis.exceptions.NoScriptError) for answer in answers):
        for name in NAMES:
            client.script_load(text(name))
        answers = _once(client, steps)
    for answer in answers:
        if isinstance(answer, redis.RedisError):
            raise answer
    return answers


def _once(client: redis.Redis, steps: Sequence[Step]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for step in steps:
        pipeline.evalsha(digest(step.script), len(step.keys), *step.keys, *step.arguments)
    return list(pipeline.execute(raise_on_error=False))
