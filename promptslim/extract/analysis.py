"""One file at a time to ``FileFacts``, over modules that the files of a run share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.facts import FileFacts
from promptslim.core.files import ProjectFiles
from promptslim.core.prompt import Prompt
from promptslim.core.result import FileError
from promptslim.core.text import Document
from promptslim.core.values import Known
from promptslim.extract.python.arithmetic import arithmetic
from promptslim.extract.python.calls import Builder
from promptslim.extract.python.comments import comments
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.signatures import signatures
from promptslim.extract.python.workspace import Workspace, module_of

if TYPE_CHECKING:
    from promptslim.catalog import Catalog
    from promptslim.config.settings import Settings
    from promptslim.core.call import LlmCall


class Analyser:
    """Analyses the files of one run; what a file imports is parsed once."""

    def __init__(self, files: ProjectFiles, catalog: Catalog, settings: Settings) -> None:
        self.workspace = Workspace(files)
        self.evaluator = Evaluator(self.workspace)
        self.tables = signatures(catalog.sdks, settings.wrappers)
        self.catalog = catalog

    def analyse(self, path: str, text: str) -> FileFacts:
        """The facts of one Python file or notebook. Never raises for what is in the file."""
        try:
            return self._analyse(path, text)
        except RecursionError:
            error = FileError(path, None, "nested too deeply to be analysed")
            return FileFacts(path, (Document(path, text),), errors=(error,))

    def _analyse(self, path: str, text: str) -> FileFacts:
        module = self.workspace.loaded(path) or module_of(path, text)
        self.workspace.add(module)
        builder = Builder(module, self.evaluator, self.tables, self.catalog.model)
        calls = tuple(builder.calls())
        return FileFacts(
            path,
            tuple(document for _, document in module.parts),
            calls,
            prompts_of(calls),
            tuple(arithmetic(module)),
            tuple(comments(module)),
            module.errors,
        )


def prompts_of(calls: tuple[LlmCall, ...]) -> tuple[Prompt, ...]:
    """The system prompts that the calls send, each once, with all calls that use it."""
    found: dict[tuple[str, int], Prompt] = {}
    users: dict[tuple[str, int], list[str]] = {}
    for call in calls:
        for case in call.system:
            if isinstance(case.value, Known):
                prompt = case.value.value
                key = (prompt.location.path, prompt.location.span.start)
                found.setdefault(key, prompt)
                users.setdefault(key, []).append(call.id)
    return tuple(
        Prompt(p.id, p.role, p.parts, p.location, p.primary, p.scope, tuple(dict.fromkeys(users[key]))) for key, p in found.items()
    )
