"""Input as it must not be: lines of events broken in every way, and what has to hold when they are read."""

from __future__ import annotations

import json
import math
import random
import re
from typing import Any

import msgspec

from engine.engine import Engine
from events.decode import decode
from events.times import time_of
from streams.admit import admit
from support.small_streams import lines, random_moments

NOW = time_of("2026-01-01T00:00:00Z", "now")
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, -0.0, 1e308, -1e308, 1e-320, 2**63, -(2**63), 2**64, 10**40, 0.1, "", " ", "\0", "x" * 200,
    "\ud800", "é", "客户", [], {}, [[]], {"a": 1}, "NaN", "2024-02-30T00:00:00Z", "2024-03-01T00:00:00", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2024-03-01T24:00:00Z",
    "2024-03-01T12:00:60Z", "2024-03-01T12:00:00+23:59", "2025-12-31T00:00:00.1234567891Z", "cell:9", "market:all", "c0",
)  # fmt: skip
NUMBERS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"00", b"1.", b"9" * 400, b"0x1", b"+1")
FIELD = re.compile(rb'("[a-z_]+": )("[^"]*"|[-0-9.]+|true|false|null)')


def mutated(chance: random.Random, line: bytes) -> bytes:
    """One line with one thing wrong with it, or with nothing."""
    how = chance.randrange(12)
    if how == 0:
        return line
    if how <= 5:  # a value that is legal JSON and not what is wanted
        event = json.loads(line)
        event[chance.choice([*event, "amount", "due_at", "scale_max", "attributes"])] = chance.choice(NASTY)
        return json.dumps(event, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if how == 6:
        event = json.loads(line)
        event.pop(chance.choice([*event]))
        return json.dumps(event).encode()
    if how == 7:
        return FIELD.sub(lambda found: found[1] + chance.choice(NUMBERS), line, count=1 + chance.randrange(6))
    if how == 8:  # bytes
        broken = bytearray(line)
        for _ in range(1 + chance.randrange(4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        return bytes(broken)
    if how == 9:
        start = chance.randrange(len(line))
        return line[:start] + line[start + chance.randrange(len(line) - start + 1) :]
    if how == 10:
        return chance.choice(
            [b"", b"  ", b"\r", b"null", b"[]", b"{}", b"{}}", b"\xff\xfe", b"\xef\xbb\xbf" + line, line + line]
        )
    return chance.choice([b'{"data":', b'{"specversion":"1.0","data":']) + line + b"}"


def soup(seed: int, count: int) -> bytes:
    """Lines of a stream, many of them broken."""
    chance = random.Random(seed)
    return b"\n".join(mutated(chance, line) for line in lines(random_moments(seed, count, customers=4)))


def swallow(engine: Engine, raw: bytes) -> None:
    """Whatever the bytes: every line is applied, a duplicate, a dead letter or blank, and what comes out is sound."""
    clock = engine.partition.clock
    batch = decode(raw, "f", received_at="now")
    admitted, future, after = admit(batch, NOW, None, "now")
    step = engine.step(admitted, 0)
    told = sum(1 for line in raw.split(b"\n") if line.strip(b" \t\r"))
    bom_alone = raw.split(b"\n")[0].strip(b" \t\r") == b"\xef\xbb\xbf"
    dead = [*batch.dead, *future, *step.dead]
    assert step.applied + step.duplicates + len(dead) == told - bom_alone, (
        step.applied,
        step.duplicates,
        len(dead),
        told,
    )
    assert after == 0
    assert len({letter.source for letter in dead}) == len(dead)
    assert engine.partition.clock >= clock
    for decision in step.decisions:
        sound(msgspec.to_builtins(decision))
    for _, risk, _ in engine.scores(engine.partition.clock):
        assert risk is None or 0 <= risk <= 1


def sound(value: Any) -> None:
    """No number that JSON lacks."""
    if isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, dict):
        for inner in value.values():
            sound(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            sound(inner)
