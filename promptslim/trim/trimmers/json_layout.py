"""Indented JSON on one line, lexically: keys, numbers and strings stay as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from promptslim.trim.change import Change, Level, Range
from promptslim.trim.code_blocks import code_blocks
from promptslim.trim.json_text import json_spans, tokens
from promptslim.trim.subject import Subject

TITLE = "write JSON on one line"
LEVEL: Level = "unsafe"

_BRACES = "{}"


def changes(subject: Subject) -> Iterator[Change]:
    """Each JSON value that runs over several lines. What stands in a fence is code and stays."""
    if subject.prompt.shape == "tools":
        return
    text = subject.text
    code = code_blocks(text)
    for span in json_spans(text):
        if "\n" not in text[span.start : span.end] or any(start < span.end and span.start < end for start, end in code):
            continue
        found = list(tokens(text, span))
        if any("\n" in text[start:end] for start, end in found):
            continue  # a string over several lines: no JSON after all
        ranges = []
        for (_, end), (start, _) in pairwise(found):
            # Two braces side by side may be a placeholder, or an escaped brace.
            instead = " " if text[end - 1] in _BRACES and text[start] in _BRACES else ""
            if text[end:start] != instead and start > end:
                ranges.append(Range(end, start, instead))
        if ranges:
            yield Change(tuple(ranges))
