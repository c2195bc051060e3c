"""Messages of AWS event streams.

A message is: total length, length of the headers, CRC32 of these two, headers, payload, CRC32 of all before it; all
numbers big-endian. A header is: length of its name, name, type (7: text), length of its value, value. Source: AWS
documentation of the event stream encoding, and botocore 1.44.5, which reads it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = b"\x07"


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message with headers of text."""
    block = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return body + struct.pack("!I", zlib.crc32(body))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + _TEXT + struct.pack("!H", len(value)) + value


def event(kind: str, body: Mapping[str, Any]) -> bytes:
    """An event with a JSON payload."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return message(headers, json.dumps(body).encode())


def exception(kind: str, text: str) -> bytes:
    """An exception of the service's model, which ends a stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, json.dumps({"message": text}).encode())
