"""What a partition says, to Kafka: in order, each thing until the broker has it.

Production is idempotent and acknowledged by all replicas. When the broker refuses, the same is sent again, ever more slowly,
and nothing behind it; whoever produces work looks at `backlog` and stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from streams.live.output import Output
from streams.live.topics import DEAD_LETTERS, HELD_OUT, INCIDENTS, SHADOW, WARNINGS

FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 10.0
MOST_BACKLOG: Final = 20_000
AT_ONCE: Final = 2_000
"""Messages that are sent before the first of them has to be acknowledged."""

log = structlog.get_logger()


class Message(NamedTuple):
    """One record to produce; `partition` None: where the key belongs."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes


class Parcel(NamedTuple):
    """What is sent together, and when the oldest event behind it came (monotonic, s)."""

    messages: list[Message]
    came: float | None


def away(error: KafkaError) -> bool:
    """Whether the broker was not there, or wants to be asked again: a new process would fare no better."""
    return bool(error.retriable) or isinstance(error, KafkaTimeoutError)


async def made_known(producer: AIOKafkaProducer, message: Message, waits: Callable[[bool], None]) -> int:
    """Send one record until the broker has it, which gives its offset; `waits` is told when the broker is away, and when it
    is no more. Raises KafkaError for what it refuses.

    What was sent before and timed out may be there too: the last one counts.
    """
    wait = FIRST_WAIT
    while True:
        try:
            sent = await producer.send_and_wait(
                message.topic, message.value, key=message.key, partition=message.partition
            )
        except KafkaError as error:
            if not away(error):
                raise
            waits(True)
            log.warning("broker away, trying again", error=repr(error), topic=message.topic, wait=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            waits(False)
            return int(sent.offset)


def messages_of(output: Output, partition: int, delivered: set[tuple[bool, str, int]]) -> list[Message]:
    """What goes out of some work; decisions (shadow or not, id, revision) that an earlier worker delivered stand and are
    left out.
    """
    encode = msgspec.json.encode
    messages = []
    decisions = [(False, one) for one in output.decisions] + [(True, one) for one in output.shadow]
    for shadow, decision in decisions:
        this = (shadow, decision.warning_id, decision.revision)
        if this in delivered:
            delivered.discard(this)
            continue
        topic = SHADOW if shadow else HELD_OUT if decision.held_out else WARNINGS
        messages.append(Message(topic, partition, decision.customer_id.encode(), encode(decision)))
    messages += [Message(INCIDENTS, None, one.incident_id.encode(), encode(one)) for one in output.incidents]
    messages += [Message(DEAD_LETTERS, None, None, encode(letter)) for letter in output.dead]
    return messages


class Outbox:
    """The messages of one partition on their way. `ends`: offsets behind what was delivered, by topic."""

    def __init__(self, producer: AIOKafkaProducer, ends: dict[str, int], delivered: Callable[[Parcel], None]) -> None:
        self.producer, self.ends, self.delivered = producer, dict(ends), delivered
        self.parcels: asyncio.Queue[Parcel] = asyncio.Queue()
        self.backlog = 0
        self.sent = 0  # parcels delivered
        self.given = 0
        self.away = False  # the broker: what waits does so for it

    def add(self, messages: Iterable[Message], came: float | None = None) -> int:
        """Have messages delivered after all that was given before; gives the parcel's number, to compare with `sent`."""
        parcel = Parcel(list(messages), came)
        self.backlog += len(parcel.messages)
        self.given += 1
        self.parcels.put_nowait(parcel)
        return self.given

    @property
    def has_room(self) -> bool:
        """Whether more work may be done before what it says is delivered."""
        return self.backlog < MOST_BACKLOG

    async def run(self) -> None:
        """Deliver, one parcel after another, until cancelled."""
        while True:
            parcel = await self.parcels.get()
            for start in range(0, len(parcel.messages), AT_ONCE):
                await self._deliver(parcel.messages[start : start + AT_ONCE])
            self.sent += 1
            self.delivered(parcel)

    async def _deliver(self, messages: list[Message]) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                futures = [
                    await self.producer.send(one.topic, value=one.value, key=one.key, partition=one.partition)
                    for one in messages
                ]
                for one, sent in zip(messages, await asyncio.gather(*futures), strict=True):
                    if one.partition is not None:
                        self.ends[one.topic] = sent.offset + 1
            except KafkaError as error:
                self.away = away(error)
                log.warning("delivery refused, trying again", error=repr(error), messages=len(messages), wait=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self.away = False
                self.backlog -= len(messages)
                return
