"""Messages of event streams, as botocore reads them."""

from __future__ import annotations

import json

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from promptslim.verify.local.framing import event, message

NAMES = st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1, max_size=40)


@given(headers=st.dictionaries(NAMES, st.text(max_size=300), max_size=5), payload=st.binary(max_size=2000))
def test_botocore_reads_what_was_written(headers: dict[str, str], payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(message(headers, payload))
    (read,) = list(buffer)
    assert (read.headers, read.payload) == (headers, payload)


@given(cut=st.integers(0, 100), count=st.integers(1, 5))
def test_messages_that_arrive_in_pieces(cut: int, count: int) -> None:
    data = b"".join(event("chunk", {"number": number}) for number in range(count))
    buffer = EventStreamBuffer()
    found = []
    for piece in (data[:cut], data[cut:]):
        buffer.add_data(piece)
        found += [json.loads(one.payload)["number"] for one in buffer]
    assert found == list(range(count))


@given(place=st.integers(0, 3), flip=st.integers(1, 255))
def test_a_changed_checksum_is_seen(place: int, flip: int) -> None:
    data = bytearray(event("chunk", {"a": 1}))
    data[len(data) - 4 + place] ^= flip
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(data))
    with pytest.raises(ChecksumMismatch):
        list(buffer)
