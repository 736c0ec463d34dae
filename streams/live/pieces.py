"""What a consumer's polls give: for each partition one stretch of what a fetch brought, in columns, unpacked when it is asked for.

The client would make an object of each record, and give with one poll all that a fetch brought, however much it unpacks to.
Batches of older formats, and damaged ones, go through its own parser, which knows what to leave out and what to raise.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from events.packed import Records, packed
from streams.live.transactions import Aborted
from streams.live.wire import SPECIAL, heads_of, plain, unpacked

MOST_GIVEN: Final = 4 << 20
"""Bytes, no longer compressed, that one poll gives of a partition, unless a single batch is larger."""


MOST_TRIES: Final = 5
"""Of fetching a batch that comes damaged."""
log = structlog.get_logger()


class Kept(MemoryRecords):
    """The client's record batches, which would otherwise not give out the bytes that they are of."""

    raw = b""


def kept(raw: bytes) -> Kept:
    """What the client makes of the bytes of a partition, and the bytes."""
    records = Kept(raw)
    records.raw = raw
    return records


def in_columns(consumer: Any, most: int = MOST_GIVEN) -> Any:
    """Have a consumer that has been started, and has no partitions yet, give one `Given` of a partition with each poll, of
    about `most` bytes; gives its fetcher.
    """
    fetcher.MemoryRecords = kept  # whoever does not ask for the bytes finds what was there before
    consumer._fetcher._records = Fetched(most)  # noqa: SLF001 - the client has no other door for it
    return consumer._fetcher  # noqa: SLF001


class Fetched(OrderedDict[TopicPartition, Any]):
    """What fetches brought, by partition; each gives one piece of about `most` bytes after another."""

    def __init__(self, most: int = MOST_GIVEN) -> None:
        super().__init__()
        self.most = most
        self.damaged: dict[TopicPartition, int] = {}  # how often in a row a partition's next batch was

    def __setitem__(self, where: TopicPartition, result: Any) -> None:
        records = getattr(result, "_partition_records", None)
        if records is not None:
            result._partition_records = Piece(records, self.most)  # noqa: SLF001 - the client has no other door for it
            result.getall = self._one_of(result)
        super().__setitem__(where, result)

    def _one_of(self, result: Any) -> Callable[..., list[Given]]:
        """Stands for `FetchResult.getall`: one stretch of what a fetch brought. The next is asked for by the next poll."""

        def getall(_most: int | None = None) -> list[Given]:
            where: TopicPartition = result._topic_partition  # noqa: SLF001
            if not result.has_more() or not result.check_assignment(where):
                return []
            piece: Piece = result._partition_records  # noqa: SLF001
            given = self._next(where, piece)
            result._update_position()  # noqa: SLF001
            if piece.over:
                result._partition_records = None  # noqa: SLF001
            return [] if given is None else [given]

        return getall

    def _next(self, where: TopicPartition, piece: Piece) -> Given | None:
        """The next stretch; None for none, and where it came damaged, which is fetched again. Raises CorruptRecordException once
        it came so too often: the broker has it like that.
        """
        try:
            given = next(piece, None)
        except CorruptRecordException as error:
            self.damaged[where] = self.damaged.get(where, 0) + 1
            if self.damaged[where] >= MOST_TRIES:
                raise
            said = str(error)
        else:
            self.damaged.pop(where, None)
            return given
        log.warning("a batch came damaged, fetching it again", topic=where.topic, partition=where.partition, error=said)
        return None


class Given(NamedTuple):
    """All that a partition has from the offset `since` on and before `until`. Fewer records than that are all there are: the
    others are of aborted transactions, markers of transactions, or were compacted away; there may be none. `came`: when the
    broker's answer was here (monotonic, s), which is not before the broker had them.
    """

    records: Records
    since: int
    until: int
    came: float


class Piece(Iterator[Given]):
    """Stands for the client's `PartitionRecords`: one `Given` after another of about `most` bytes. `next_fetch_offset` is what
    follows what was given.
    """

    def __init__(self, client: Any, most: int = MOST_GIVEN) -> None:
        self.where, self.client, self.most, self.came = client._tp, client, most, time.monotonic()  # noqa: SLF001
        self.next_fetch_offset: int = client.next_fetch_offset
        self.raw: bytes = client._records.raw  # noqa: SLF001 - and not taken from, for the client's parser may have to begin
        heads = heads_of(self.raw)
        self.plain, self.heads = heads is not None, deque(heads or ())
        self.batches, self.aborted = MemoryRecords(self.raw), Aborted.of(client)

    @property
    def over(self) -> bool:
        """Whether nothing follows."""
        return self.client is None

    def __next__(self) -> Given:
        client, since = self.client, self.next_fetch_offset
        if client is None:
            raise StopIteration
        self.client = None  # unless all goes well and something is left
        found = self._found(client)
        while self.heads and found.until <= since:  # what was given before
            found = self._found(client)
        if self.heads:
            self.client = client
        if found.until <= since:
            raise StopIteration
        self.next_fetch_offset = found.until
        return found

    def _found(self, client: Any) -> Given:
        return (self._stretch() if self.plain else None) or self._parsed(client)

    def _stretch(self) -> Given | None:
        """The next batches; None where one is not as it should be. Raises CorruptRecordException for a wrong checksum."""
        since = until = self.next_fetch_offset
        first, before = (self.heads[0].at if self.heads else 0), self.aborted.copy()
        heads, texts, room = [], [], self.most
        while self.heads and room > 0:
            head, batch = self.heads.popleft(), self.batches.next_batch()
            if not batch.validate_crc():
                raise CorruptRecordException(f"{self.where}: wrong checksum of the batch at offset {batch.base_offset}")
            until = max(until, batch.next_offset)
            if not head.attributes & SPECIAL or self.aborted.counts(batch):
                heads.append(head)
                texts.append(plain(self.raw, head))
                room -= len(texts[-1])
        records = unpacked(heads, texts)
        if records is not None:
            return Given(records.since(since), since, until, self.came)
        self.raw, self.aborted = self.raw[first:], before
        self.heads.clear()
        return None

    def _parsed(self, client: Any) -> Given:
        """What the client's own parser finds in what is left."""
        since = client.next_fetch_offset = self.next_fetch_offset
        client._records, client._consumer_record = kept(self.raw), as_parsed  # noqa: SLF001
        client._aborted_transactions, client._aborted_producers = [*self.aborted.coming], self.aborted.now  # noqa: SLF001
        records = packed(client)
        return Given(records, since, client.next_fetch_offset, self.came)


def as_parsed(_where: TopicPartition, record: Any) -> Any:
    """A record as the client's parser makes it, and not copied into another."""
    return record
