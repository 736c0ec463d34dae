"""What a fetch brought, read in columns: the same records as the client's own parser makes of it, whatever the bytes are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c as crc32c
from hypothesis import given
from hypothesis import strategies as st

from events.packed import Record, joined, packed, read_headers, read_number, written_headers, written_number
from streams.live.pieces import Fetched, Piece, kept
from streams.live.wire import heads_of, plain, unpacked

TEXTS = st.none() | st.binary(max_size=300)
HEADERS = st.lists(st.tuples(st.sampled_from(["ce_id", "ce_", "ce", "trace", "来源", ""]), TEXTS), max_size=3)
RECORDS = st.lists(st.tuples(TEXTS, TEXTS, HEADERS, st.integers(0, 2**45)), min_size=1, max_size=5)
CODECS = st.sampled_from([0, 1, 2, 3, 4])
BATCHES = st.lists(st.tuples(RECORDS, CODECS), max_size=4)


def batch(records, codec=0, base=0, *, transactional=False):
    builder = DefaultRecordBatchBuilder(2, codec, int(transactional), 5 if transactional else -1, 0, 0, 1 << 20)
    for number, (key, value, headers, at) in enumerate(records):
        builder.append(number, at, key, value, headers)
    raw = bytearray(builder.build())
    raw[:8] = base.to_bytes(8, "big")
    return bytes(raw)


def client_of(raw, fetch_offset=0, isolation_level=0):
    return PartitionRecords("t/0", kept(raw), [], fetch_offset, None, None, True, isolation_level)


def told(raw, fetch_offset=0):
    """What the client's own parser finds, and the offset of the next fetch."""
    client = PartitionRecords("t/0", MemoryRecords(raw), [], fetch_offset, None, None, True, 0)
    client._consumer_record = lambda _where, record: record
    found = [Record(one.value, [*one.headers], one.key, one.timestamp, one.offset) for one in client]
    return found, client.next_fetch_offset


def read(raw, fetch_offset=0):
    piece = Piece(client_of(raw, fetch_offset))
    given = [*piece]
    assert [one.since for one in given] == [fetch_offset] * len(given)
    assert [one.until for one in given] == [piece.next_fetch_offset] * len(given)
    records = joined([one.records for one in given])
    return [records.at(index) for index in range(records.count)], piece.next_fetch_offset


def stream(batches):
    raw, base = b"", 7
    for records, codec in batches:
        raw += batch(records, codec, base)
        base += len(records) + 3  # as if some had been compacted away
    return raw


@given(BATCHES, st.integers(0, 4), st.integers(0, 40))
def test_the_records_are_those_of_the_client_s_parser(batches, skipped, cut):
    raw = stream(batches)
    fetch_offset = 7 + min([skipped, *(len(records) for records, _ in batches[:1])])  # within the first batch
    for whole in (raw, raw[: len(raw) - cut]):  # a broker cuts the last batch off where a fetch is full
        assert read(whole, fetch_offset) == told(whole, fetch_offset)


@given(BATCHES.filter(bool), st.data())
def test_damaged_bytes_are_refused_and_never_read_beyond(batches, data):
    raw = bytearray(stream(batches))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    heads = heads_of(bytes(raw))
    if heads and not any(head.attributes & 7 for head in heads):
        found = unpacked(heads, [plain(bytes(raw), head) for head in heads])
        if found is not None:
            [found.at(index) for index in range(found.count)]


def test_a_wrong_checksum_is_an_error():
    raw = bytearray(batch([(b"k", b"v", [], 0)]))
    raw[-2] ^= 1
    with pytest.raises(CorruptRecordException):
        read(bytes(raw))


def test_old_formats_go_through_the_client_s_parser():
    old = LegacyRecordBatchBuilder(1, 0, 1 << 16)
    old.append(0, timestamp=5, key=b"k", value=b"v")
    raw = bytes(old.build())
    assert heads_of(raw) is None
    assert read(raw) == told(raw)
    assert read(raw)[0][0][:3] != ()


def test_a_fetch_gives_one_piece():
    class Result:
        _partition_records = client_of(stream([([(b"k", b"v", [], 1)] * 3, 0), ([(b"k", b"w", [], 2)], 3)]))

    result, fetched = Result(), Fetched()
    fetched["t/0"] = result
    (piece,) = result._partition_records
    assert piece.records.rows["offset"].tolist() == [7, 8, 9, 13]
    assert (piece.since, piece.until, result._partition_records.next_fetch_offset) == (0, 14, 14)


def test_what_has_no_records_left_still_says_how_far_it_goes():
    marker = bytearray(batch([(b"\0\0\0\1", b"\0" * 6, [], 5)], transactional=True))
    marker[22] |= 0x20  # a control batch
    marker[17:21] = crc32c(bytes(marker[21:])).to_bytes(4, "big")
    (given,) = Piece(client_of(bytes(marker)))
    assert (given.records.count, given.since, given.until) == (0, 0, 1)


def test_a_batch_that_contradicts_itself_is_an_error_and_what_is_before_it_is_given():
    good, bad = batch([(b"k", b"v", [], 1)] * 2), bytearray(batch([(b"k", b"v", [], 1)] * 2, base=2))
    bad += b"\0"
    bad[8:12] = (len(bad) - 12).to_bytes(4, "big")
    bad[17:21] = crc32c(bytes(bad[21:])).to_bytes(4, "big")
    for raw in (good + bytes(bad), bytes(bad)):
        try:
            expected = told(raw)
        except CorruptRecordException:
            with pytest.raises(CorruptRecordException):
                read(raw)
        else:
            assert read(raw) == expected


@given(st.lists(st.tuples(TEXTS, HEADERS, TEXTS, st.integers(0, 2**45)), max_size=6), st.data())
def test_what_is_packed_is_what_was_given_in_any_pieces(parts, data):
    records = [Record(*part, offset) for offset, part in enumerate(parts)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=3)))
    edges = [0, *cuts, len(records)]
    pieces = [packed(records[start:end]) for start, end in pairwise(edges)]
    whole = joined(pieces)
    assert [whole.at(index) for index in range(whole.count)] == records
    assert whole.rows["binary"].tolist() == [any(name.startswith("ce_") for name, _ in one.headers) for one in records]
    middle = len(records) // 2
    assert [one.offset for one in records[middle:]] == whole.since(middle).rows["offset"].tolist()
    assert [one.offset for one in records[:middle]] == whole.before(middle).rows["offset"].tolist()


@given(st.integers(-(2**63), 2**63 - 1), HEADERS)
def test_numbers_and_headers_are_read_as_they_are_written(number, headers):
    text = written_number(number)
    assert read_number(np.frombuffer(text, np.uint8), 0) == (number, len(text))
    assert read_headers(written_headers(headers), 0) == headers
