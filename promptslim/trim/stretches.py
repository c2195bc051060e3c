"""Taking a stretch out of a text so that what is left keeps its paragraphs."""

from __future__ import annotations

from promptslim.trim.change import Range


def without_stretch(text: str, start: int, end: int) -> Range:
    """The range to delete for ``text[start:end]``: of the blank space before and after it, what has more line breaks
    stays."""
    content_end = start + len(text[start:end].rstrip())
    content_start = end - len(text[start:end].lstrip())
    before_start = len(text[:content_start].rstrip())
    before, after = text[before_start:content_start], text[content_end:end]
    if before.count("\n") >= after.count("\n") and (before or not after):
        return Range(content_start, end)
    return Range(before_start, content_end)
