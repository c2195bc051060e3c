"""The part of S3 that batch inference needs: put, get, head, delete and list objects, addressed by path."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from promptslim.core.record import record


@record
class Response:
    """Status, headers and body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Objects:
    """Objects in memory, by bucket and key."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()

    def put(self, uri: str, data: bytes) -> None:
        """Store an object at ``s3://bucket/key``."""
        with self._lock:
            self._objects[split_uri(uri)] = data

    def get(self, uri: str) -> bytes | None:
        """The object at ``s3://bucket/key``."""
        with self._lock:
            return self._objects.get(split_uri(uri))

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Keys in a bucket, sorted."""
        with self._lock:
            return sorted(key for name, key in self._objects if name == bucket and key.startswith(prefix))

    def respond(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request of the S3 protocol. ``path`` is decoded and starts with a slash."""
        bucket, _, key = path[1:].partition("/")
        uri = f"s3://{bucket}/{key}"
        match method:
            case "PUT" if key:
                data = _unchunked(body) if "aws-chunked" in headers.get("Content-Encoding", "") else body
                self.put(uri, data)
                return Response(200, headers=(("ETag", _tag(data)),))
            case "PUT":
                return Response(200)
            case "GET" if not key:
                return self._listed(bucket, parse_qs(query))
            case "GET" | "HEAD":
                found = self.get(uri)
                if found is None:
                    return _error(404, "NoSuchKey", "The specified key does not exist.")
                return Response(200, found, (("ETag", _tag(found)), ("Content-Type", "application/octet-stream")))
            case "DELETE":
                with self._lock:
                    self._objects.pop((bucket, key), None)
                return Response(204)
        return _error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")

    def _listed(self, bucket: str, query: Mapping[str, list[str]]) -> Response:
        prefix = query.get("prefix", [""])[0]
        rows = [
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<Size>{len(self.get(f's3://{bucket}/{key}') or b'')}</Size></Contents>"
            for key in self.keys(bucket, prefix)
        ]
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{escape(bucket)}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(rows)}</KeyCount>"
            f"<IsTruncated>false</IsTruncated>{''.join(rows)}</ListBucketResult>"
        )
        return Response(200, text.encode(), (("Content-Type", "application/xml"),))


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, text.encode(), (("Content-Type", "application/xml"),))


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _unchunked(body: bytes) -> bytes:
    """The data of an upload in signed or unsigned chunks: length in hex and extensions, data, until length 0."""
    data = bytearray()
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if size == 0:
            return bytes(data)
        data += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
