"""Taking a stretch out of a text so that what is left keeps its paragraphs."""

from __future__ import annotations

from promptslim.trim.change import Range


def without_stretch(text: str, start: int, end: int) -> Range:
    """The range to delete for ``text[start:end]``: of the blank space before and after it, what has more line breaks
    stays."""
    content_end = start + len(text[start:end].rstrip())
    content_start = end - len(text[start:end].lstrip())
    before_start = len(text[:content_start].rstrip())
    after_end = len(text) - len(text[content_end:].lstrip())
    before, after = text[before_start:content_start], text[content_end:after_end]
    if after_end < len(text) and (not before_start or before.count("\n") >= after.count("\n")):
        return Range(content_start, after_end)
    return Range(before_start, content_end)
