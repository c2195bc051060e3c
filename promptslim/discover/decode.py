"""Bytes of a file -> text as Python's tokenizer sees it, and back."""

from __future__ import annotations

from promptslim.core.record import field, record

_BOM = b"\xef\xbb\xbf"
# Decoding these takes quadratic time, and no source is written in them.
_REFUSED = frozenset({"idna", "punycode"})


@record
class Decoded:
    """A text with what is needed to write it back.

    ``text`` has no byte order mark and ``\\n`` line ends. ``newline`` is the line end of the file, None
    where it mixes several, so that an edited text cannot be written back without changing other lines.
    """

    text: str = field(repr=False)
    encoding: str = "utf-8"
    bom: bool = False
    newline: str | None = "\n"

    def encoded(self, text: str) -> bytes:
        """The bytes of an edited text in the form of the file. Raises ValueError where line ends are mixed
        or a character is not in the encoding of the file."""
        if self.newline is None:
            raise ValueError("mixed line ends")
        data = text.replace("\n", self.newline).encode(self.encoding)
        return _BOM + data if self.bom else data


class DecodeError(ValueError):
    """Bytes that are no text. ``line`` is 1-based, None where no line can be named."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def decode(data: bytes, python: bool) -> Decoded:
    """Decode a file: UTF-8, or for Python source what its encoding comment says (PEP 263).

    Raises DecodeError on null bytes (Python refuses them, other files are binary), on an unknown encoding
    and on bytes that are not valid in it.
    """
    bom = data.startswith(_BOM)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DecodeError("UTF-16 text; save it as UTF-8", 1)
    if (null := data.find(b"\0")) >= 0:
        raise DecodeError("null byte in the file; it is binary or damaged", data.count(b"\n", 0, null) + 1)
    body = data[3:] if bom else data
    encoding = _declared(body, bom) if python else "utf-8"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise DecodeError(f"byte 0x{body[error.start]:02x} is not valid {encoding.upper()}", line) from None
    except (LookupError, ValueError):
        raise DecodeError(f"cannot be decoded as {encoding}", 1) from None
    if encoding != "utf-8" and ("\0" in text or not _encodable(text)):
        raise DecodeError(f"not valid text in {encoding}")
    newline = _newline(text)
    if newline != "\n":
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(text, encoding, bom, newline)


def _declared(body: bytes, bom: bool) -> str:
    """The encoding that the first two lines of Python source declare."""
    second = body.find(b"\n", body.find(b"\n") + 1)
    head = body[: second + 1] if second >= 0 else body
    if b"coding" not in head:
        return "utf-8"
    from tokenize import detect_encoding

    lines = iter(head.splitlines(keepends=True))
    try:
        encoding, _ = detect_encoding(lambda: next(lines, b""))
    except SyntaxError as error:
        raise DecodeError(str(error), 1) from None
    if encoding in _REFUSED or (bom and encoding != "utf-8"):
        raise DecodeError(f"encoding {encoding} is not supported here", 1)
    return encoding


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _newline(text: str) -> str | None:
    """The line end that the text uses throughout, None where it mixes several."""
    if "\r" not in text:
        return "\n"
    pairs, returns, feeds = text.count("\r\n"), text.count("\r"), text.count("\n")
    if pairs == returns == feeds:
        return "\r\n"
    return "\r" if not feeds else None
