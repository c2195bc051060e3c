"""Bodies of ``invoke_model``: the model family that each is written for, and its contents."""

from __future__ import annotations

from promptslim.core.record import record, replace
from promptslim.core.values import Field
from promptslim.extract.python.abstract import Json, Record, alternatives
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame
from promptslim.extract.python.lookup import Found, at_path, record_of
from promptslim.extract.python.model_id import ModelOf, model_names
from promptslim.extract.python.signatures import CAP_KEYS, Body, Signatures

Bodies = tuple[tuple[Body | None, Record], ...]
"""The requests that may be sent, with the body family of each (None: the arguments are the request)."""


@record
class BodyReader:
    """Reads the bodies that a call may send."""

    evaluator: Evaluator
    tables: Signatures
    model_of: ModelOf

    def read(self, key: str, request: Record, model: Field[str], frame: Frame) -> tuple[Bodies, str | None] | None:
        """Families and contents of the bodies that may be sent, and what hides more; None where the model
        writes no text."""
        facts = [f for v in model_names(model) if (f := self.model_of(v)) is not None]
        family = next((f.body for f in facts if f.body), None)
        records = self._records(key, request, frame)
        if not records:
            return ((self.tables.bodies.get(family or ""), Record(open=key)),), key
        chat = any(f.kind == "chat" for f in facts)
        texts = [record for record in records if chat or not _not_text(record, self.tables)]
        if family is not None and len(texts) > 1:
            texts = [r for r in texts if (g := self._guessed(r)) is None or g.family == family] or texts
        found = [self._with_family(record, family if len(texts) == 1 else None) for record in texts]
        bodies = tuple(pair for pair in found if pair is not None)
        if not bodies:
            return None
        return bodies, next((record.open for _, record in bodies if record.open is not None), None)

    def _records(self, key: str, request: Record, frame: Frame) -> list[Record]:
        """The bodies that the request may carry."""
        found: list[Record] = []
        for _, outcome in at_path(self.evaluator, request, key, frame):
            if not isinstance(outcome, Found):
                continue
            inner = outcome.value.value if isinstance(outcome.value, Json) else outcome.value
            for _, member in alternatives(inner):
                record = record_of(self.evaluator, member, frame)
                if record is not None:
                    found.append(record)
        return found

    def _with_family(self, record: Record, family: str | None) -> tuple[Body | None, Record] | None:
        body = self.tables.bodies.get(family or "") or self._guessed(record)
        keys = {entry.key for entry in record.entries}
        if body is not None:
            return None if keys & body.skip else (body, record)
        if not keys & {"messages", "prompt", "inputText", "message"} and record.open is None:
            return None
        return _any_body(record), replace(record, open=record.open or "model family")

    def _guessed(self, record: Record) -> Body | None:
        """The family that the keys of a body belong to, where only one has them."""
        keys = {entry.key for entry in record.entries}
        for body in self.tables.bodies.values():
            if keys & set(body.marks):
                return body
        return None


def _not_text(record: Record, tables: Signatures) -> bool:
    """True for a body of an embedding, image or rerank model."""
    keys = {entry.key for entry in record.entries}
    if keys & {"messages", "max_tokens", "max_tokens_to_sample", "max_gen_len", "textGenerationConfig", "prompt"} - {
        "prompt"
    }:
        return False
    if keys & tables.not_text:
        return True
    return keys == {"inputText"} and record.open is None


def _any_body(record: Record) -> Body:
    """Where nothing says which family a body belongs to: every cap key that it has counts."""
    caps = [e.key for e in record.entries if e.key in CAP_KEYS]
    for entry in record.entries:
        if isinstance(entry.value, Record):
            caps.extend(f"{entry.key}.{inner.key}" for inner in entry.value.entries if inner.key in CAP_KEYS)
    texts = [e.key for e in record.entries if e.key in ("messages", "prompt", "inputText", "message")]
    return Body(
        "unknown", (), {"max_tokens": tuple(caps), "system": ("system",), "messages": tuple(texts)}, False, frozenset()
    )
