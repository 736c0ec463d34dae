"""Events as lines of JSON. Usage lines are put together from columns, service by service; facts one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.arrays import Ints, Texts
from simulator.clock import DAY, SECONDS
from simulator.state import Fact, World
from simulator.usage import (
    BROADBAND,
    DATA,
    INTERNATIONAL,
    ROAMING,
    SERVICES,
    SMS,
    TV,
    VOICE,
    Numbers,
    Records,
)

NETWORKS = ("2g", "3g", "4g", "5g")
PEER_NETWORKS = ("own", "other", "fixed", "foreign")
COUNTRIES = ("JP", "TH", "KR", "SG", "US", "MY", "VN", "DE")
_MILLIS = [f".{n:03d}" for n in range(1000)]
_STREAM = {
    "bill": "b",
    "payment": "b",
    "balance": "b",
    "plan": "b",
    "contract": "b",
    "line": "b",
    "device": "b",
    "customer": "b",
    "complaint": "k",
    "survey": "k",
    "porting": "k",
    "cancellation": "k",
    "market": "k",
    "network": "u",
    "usage": "u",
}
BILLING_PREFIX, USAGE_PREFIX, OUTCOME_PREFIX = "b", "u", "o"
OUTCOMES = ("customer.churned", "customer.returned")


def prefix_of(kind: str) -> str:
    """The letter of the stream a type belongs to: u usage, b billing, k complaints, o outcomes."""
    if kind in OUTCOMES:
        return OUTCOME_PREFIX
    return "k" if kind == "contact.recorded" else _STREAM[kind.split(".", 1)[0]]


class Lines:
    """Numbers events in order and writes them; ids are the stream's letter and a running number, so they tell nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = 0

    def facts(self, facts: list[Fact]) -> list[str]:
        """One line for each fact."""
        stamp, number = self._world.clock.stamp, self._next
        self._next += len(facts)
        return [
            f'{{"type":"{fact.type}","event_id":"{prefix_of(fact.type)}{n:09d}",{fact.subject}"occurred_at":"{stamp(fact.ms)}"'
            f"{fact.body}}}\n"
            for n, fact in enumerate(facts, number)
        ]

    def usage(self, part: Records, numbers: Numbers) -> Texts:
        """One line for each usage record, in their order."""
        lines = np.empty(len(part.ms), dtype=object)
        heads = self._heads(part)
        for service in range(len(SERVICES)):
            at = np.flatnonzero(part.service == service)
            if len(at):
                piece = _Piece(service, heads[at].tolist(), part, numbers, at, self._world.cells.ids)
                lines[at] = _FORMS.get(service, _plain)(piece)
        return lines

    def _heads(self, part: Records) -> Texts:
        """Everything up to the service."""
        if not len(part.ms):
            return np.empty(0, dtype=object)
        subject, clock = self._world.usage_subject, self._world.clock
        date, first = clock.date_text(int(part.ms[0]) // DAY), self._next
        self._next += len(part.ms)
        second, milli = np.divmod(part.ms % DAY, 1000)
        end = f'{clock.offset}","service":"'
        heads = np.empty(len(part.ms), dtype=object)
        heads[:] = [
            f'{{"type":"usage.recorded","event_id":"u{n:09d}",{subject[w]}"occurred_at":"{date}T{SECONDS[s]}{_MILLIS[m]}{end}'
            for n, (w, s, m) in enumerate(zip(part.who.tolist(), second.tolist(), milli.tolist(), strict=True), first)
        ]
        return heads


@dataclass(slots=True)
class _Piece:
    """The records of one service in a slice: their heads, the slice, and where in it they are."""

    service: int
    heads: list[str]
    part: Records
    numbers: Numbers
    at: Ints
    cell_ids: list[str]

    def faults(self) -> list[str]:
        """The members for failures and drops, empty where there were none."""
        return [
            "" if not (f or d) else (f',"failed":{f}' if f else "") + (f',"dropped":{d}' if d else "")
            for f, d in zip(self.numbers.failed[self.at].tolist(), self.numbers.dropped[self.at].tolist(), strict=True)
        ]


def _data(piece: _Piece) -> list[str]:
    cells, numbers, at = piece.cell_ids, piece.numbers, piece.at
    return [
        f'{head}data","count":{c},"mb":{mb},"mbps":{speed},"network":"{NETWORKS[net]}","cell_id":"{cells[cell]}"{bad}}}\n'
        for head, c, mb, speed, net, cell, bad in zip(
            piece.heads,
            numbers.count[at].tolist(),
            numbers.mb[at].tolist(),
            numbers.mbps[at].tolist(),
            numbers.network[at].tolist(),
            piece.part.cell[at].tolist(),
            piece.faults(),
            strict=True,
        )
    ]


def _voice(piece: _Piece) -> list[str]:
    cells, numbers, at = piece.cell_ids, piece.numbers, piece.at
    return [
        f'{head}voice","count":{c},"seconds":{s},"direction":"{"out" if out else "in"}",'
        f'"peer_network":"{PEER_NETWORKS[net]}","peer":"p{peer}","cell_id":"{cells[cell]}"{bad}}}\n'
        for head, c, s, out, net, peer, cell, bad in zip(
            piece.heads,
            numbers.count[at].tolist(),
            numbers.seconds[at].tolist(),
            numbers.outgoing[at].tolist(),
            numbers.peer_network[at].tolist(),
            numbers.peer[at].tolist(),
            piece.part.cell[at].tolist(),
            piece.faults(),
            strict=True,
        )
    ]


def _sms(piece: _Piece) -> list[str]:
    numbers, at = piece.numbers, piece.at
    return [
        f'{head}sms","count":{c},"direction":"{"out" if out else "in"}","peer":"p{peer}"{bad}}}\n'
        for head, c, out, peer, bad in zip(
            piece.heads,
            numbers.count[at].tolist(),
            numbers.outgoing[at].tolist(),
            numbers.peer[at].tolist(),
            piece.faults(),
            strict=True,
        )
    ]


def _plain(piece: _Piece) -> list[str]:
    """Any other service: whatever it has."""
    numbers, at, service = piece.numbers, piece.at, piece.service
    network = ',"network":"fixed"' if BROADBAND <= service <= TV else ""
    abroad = service in {ROAMING, INTERNATIONAL}
    return [
        f'{head}{SERVICES[service]}","count":{c}'
        + (f',"seconds":{s}' if s else "")
        + (f',"mb":{mb}' if mb else "")
        + (f',"charge":{charge}' if charge else "")
        + (f',"country":"{COUNTRIES[w % len(COUNTRIES)]}"' if abroad else "")
        + network
        + bad
        + "}\n"
        for head, c, s, mb, charge, w, bad in zip(
            piece.heads,
            numbers.count[at].tolist(),
            numbers.seconds[at].tolist(),
            numbers.mb[at].tolist(),
            numbers.charge[at].tolist(),
            piece.part.who[at].tolist(),
            piece.faults(),
            strict=True,
        )
    ]


_FORMS: dict[int, Callable[[_Piece], list[str]]] = {DATA: _data, VOICE: _voice, SMS: _sms}
