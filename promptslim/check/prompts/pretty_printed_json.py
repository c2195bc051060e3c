"""PS206: indented JSON is filled into a prompt."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.wording import code
from promptslim.core.finding import Finding, Related
from promptslim.core.prompt import Hole, Prompt
from promptslim.core.text import Applicability, Edit, Fix, Location, Span

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.facts import FileFacts

SAMPLE = (107, 83, 60)
"""Tokens of three records of five short fields: indented, on one line, without blanks (o200k vocabulary, counted)."""


def pretty_printed_json(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each place where the JSON is made, however many prompts it reaches; past answers of the model
    are left out."""
    told: set[tuple[str, int | None, int]] = set()
    for prompt in file.prompts:
        if prompt.role == "assistant":
            continue
        for hole in prompt.holes:
            made = _indenting(hole)
            if made is not None and (made.path, made.cell, made.span.start) not in told:
                told.add((made.path, made.cell, made.span.start))
                yield _finding(made, prompt, next(iter(rule.users(prompt)), None), rule)


def _indenting(hole: Hole) -> Location | None:
    """The call that indents what fills the hole, None where nothing does or a later step cuts it short."""
    step = hole.transform("indent")
    if step is None or step.location is None or hole.transform("base64") is not None:
        return None
    node = _parsed(step.location.text)
    if node is None or (node.args and _written_out(node.args[0])):
        return None
    return step.location if _indent(node) is not None or "pformat" in step.location.text else None


def _written_out(node: ast.expr) -> bool:
    """True for a display of literals and constants: a sample of the answer's format."""
    if not isinstance(node, (ast.Dict, ast.List)):
        return False
    return all(
        (isinstance(inner, ast.Name) and inner.id.isupper())
        or isinstance(
            inner, (ast.Dict, ast.List, ast.Constant, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
        )
        for inner in ast.walk(node)
    )


def _finding(made: Location, prompt: Prompt, call: LlmCall | None, rule: RuleContext) -> Finding:
    indented, one_line, compact = SAMPLE
    writer = made.text.split("(", 1)[0]
    compactly = writer.rsplit(".", 1)[-1] == "model_dump_json" or "orjson" in writer
    remedy = "drop `indent`" if compactly else 'write `separators=(",", ":")` in place of `indent`'
    if "pformat" in writer:
        remedy = 'send `json.dumps(..., separators=(",", ":"))`'
    keyword = _keyword(made)
    what = f"`{writer}` with {code(keyword[0], 20)}" if keyword else f"`{writer}`"
    return rule.finding(
        f"{what} puts line breaks and indentation into the prompt, which are billed as input tokens; {remedy}: "
        f"a sample of three records takes {indented} tokens indented, {one_line} on one line, {compact} without blanks",
        _head(made),
        evidence=" ".join(made.text.split()),
        call=call,
        prompt=prompt,
        related=[Related(prompt.primary, "the prompt")] if prompt.primary != _head(made) else [],
        fixes=_fixes(made, keyword, compactly),
    )


def _head(made: Location) -> Location:
    """The first line of the call, as far as it goes."""
    end = made.document.text.find("\n", made.span.start, made.span.end)
    return Location(made.document, Span(made.span.start, end)) if end >= 0 else made


def _keyword(made: Location) -> tuple[str, Span] | None:
    """``indent=2`` as it is written with its range in the document; None where it is not a literal other than
    None and 0, so that a value decided elsewhere proves nothing."""
    text = made.text
    node = _parsed(text)
    keyword = _indent(node) if node is not None else None
    if keyword is None:
        return None
    start = _offset(text, keyword.lineno, keyword.col_offset)
    end = _offset(text, keyword.value.end_lineno or 0, keyword.value.end_col_offset or 0)
    return text[start:end], Span(made.span.start + start, made.span.start + end)


def _parsed(text: str) -> ast.Call | None:
    try:
        node = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError:
        return None
    return node if isinstance(node, ast.Call) else None


def _indent(node: ast.Call) -> ast.keyword | None:
    for keyword in node.keywords:
        if keyword.arg == "indent" and isinstance(keyword.value, ast.Constant) and keyword.value.value:
            return keyword
    return None


def _offset(text: str, line: int, column: int) -> int:
    """The offset in code points of a place in ``(text)``: ``ast`` counts UTF-8 bytes, and the parenthesis."""
    lines = f"({text}".split("\n")
    before = sum(len(one) + 1 for one in lines[: line - 1])
    return before + len(lines[line - 1].encode()[:column].decode()) - 1


def _quote(made: Location) -> str | None:
    """The quotation mark for strings in the call: in a field of an f-string one that does not end it, else that of
    the file. None where there is none."""
    from promptslim.edits.calls.source import read
    from promptslim.edits.source.python import string_holders

    around = [
        holder.token.quote
        for holder in string_holders(made.document)
        if holder.start <= made.span.start and made.span.end <= holder.end
    ]
    if around:
        taken = {quote for quote in around if len(quote) == 1}
        return next((mark for mark in ('"', "'") if mark not in taken), None)
    source = read(made.document)
    return source.quote(source.tree) if source is not None else '"'


def _fixes(made: Location, keyword: tuple[str, Span] | None, only_drop: bool) -> tuple[Fix, ...]:
    """Write ``separators`` in place of the argument; drop it, with a comma beside it, where that is as good or they
    cannot be written."""
    if keyword is None:
        return ()
    text, span = made.document.text, keyword[1]
    if not only_drop and "separators" not in made.text and made.text.split("(", 1)[0].endswith("dumps"):
        mark = _quote(made)
        if mark is not None:
            edit = Edit(Location(made.document, span), f"separators=({mark},{mark}, {mark}:{mark})")
            return (Fix("write the JSON without blanks", (edit,), Applicability.UNSAFE),)
    start, end = len(text[: span.start].rstrip()), span.end
    if text[start - 1] == ",":
        start -= 1
    elif text[start - 1] == "(" and start == span.start:
        behind = len(text) - len(text[end:].lstrip())
        if text[behind] == ",":
            end = len(text) - len(text[behind + 1 :].lstrip(" "))
    else:
        return ()
    edit = Edit(Location(made.document, Span(start, end)), "")
    return (Fix("drop the indentation", (edit,), Applicability.UNSAFE),)
