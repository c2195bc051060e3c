"""Ed25519 signatures of proofs: who ran one. Needs the extra ``signing``; nothing else here does."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from promptslim.core.record import replace
from promptslim.proof.lock import Entry

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class SignatureError(Exception):
    """Keys that cannot be used, or the library is missing; the message is one line."""


def signed(entry: Entry, key: bytes, signer: str = "") -> Entry:
    """The entry with its signature by a private Ed25519 key in PEM. Raises SignatureError."""
    named = replace(entry, signer=signer)
    return replace(named, signature=base64.b64encode(_private(key).sign(_message(named))).decode())


def is_signed(entry: Entry, keys: Iterable[bytes]) -> bool:
    """Whether one of the public keys (PEM) made the entry's signature. Raises SignatureError for a key that is none."""
    publics = [_public(key) for key in keys]
    from cryptography.exceptions import InvalidSignature

    try:
        signature = base64.b64decode(entry.signature, validate=True)
    except ValueError:
        return False
    for public in publics:
        try:
            public.verify(signature, _message(entry))
        except InvalidSignature:
            continue
        return True
    return False


def _message(entry: Entry) -> bytes:
    """The digest covers claim, result and the hash of the evidence; the date and signer stand outside it."""
    return f"promptslim proof 1\n{entry.digest}\n{entry.date.isoformat()}\n{entry.signer}\n".encode()


def _private(key: bytes) -> Ed25519PrivateKey:
    _require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        loaded = load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise SignatureError(f"the private key cannot be read: {error}") from None
    if not isinstance(loaded, Ed25519PrivateKey):
        raise SignatureError("the private key is of another kind; make one with `openssl genpkey -algorithm ed25519`")
    return loaded


def _public(key: bytes) -> Ed25519PublicKey:
    _require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        loaded = load_pem_public_key(key)
    except (ValueError, TypeError) as error:
        raise SignatureError(f"the public key cannot be read: {error}") from None
    if not isinstance(loaded, Ed25519PublicKey):
        raise SignatureError("the public key is of another kind; Ed25519 is wanted")
    return loaded


def _require() -> None:
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        raise SignatureError("signatures need the library cryptography: install the extra `signing`")
