"""Everything that extraction says about one file: what the rules work on."""

from __future__ import annotations

from promptslim.core.call import LlmCall, RetrySite
from promptslim.core.prompt import Prompt
from promptslim.core.record import field, record
from promptslim.core.result import FileError
from promptslim.core.text import Document, Location
from promptslim.core.usage import UsageArithmetic


@record
class Comment:
    """A ``# promptslim: ...`` comment: its text after the colon, its place, and the spans (whole
    statements, first and last lines included) to which it applies when it is an ``ignore``."""

    text: str
    location: Location
    statement: Location | None


@record
class FileFacts:
    """One analysed file. ``documents`` is the file, or the code cells of a notebook in order. ``batches`` are requests
    with cache markers that are written out as records of a batch; they have their texts and model alone."""

    path: str
    documents: tuple[Document, ...]
    calls: tuple[LlmCall, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    arithmetic: tuple[UsageArithmetic, ...] = ()
    retries: tuple[RetrySite, ...] = ()
    comments: tuple[Comment, ...] = ()
    errors: tuple[FileError, ...] = ()
    batches: tuple[LlmCall, ...] = ()


@record
class Project:
    """The whole run, for rules that fire once. ``whole`` is true where a directory was checked."""

    files: tuple[FileFacts, ...]
    whole: bool
    calls: tuple[LlmCall, ...] = field(default=())
