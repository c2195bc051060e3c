"""One file at a time to ``FileFacts``, over modules that the files of a run share."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from promptslim.core.facts import Comment, FileFacts
from promptslim.core.files import ProjectFiles
from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Prompt
from promptslim.core.result import FileError
from promptslim.core.text import Document
from promptslim.extract.definitions import prompts_of
from promptslim.extract.python.abstract import Function
from promptslim.extract.python.cache_markers import WORD
from promptslim.extract.python.calls import Builder
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.module import Module
from promptslim.extract.python.origins import origins
from promptslim.extract.python.recognise import Recognised, recognised
from promptslim.extract.python.scopes import FunctionNode
from promptslim.extract.python.signatures import packages, signatures
from promptslim.extract.python.templates import PACKAGES as TEMPLATE_PACKAGES
from promptslim.extract.python.workspace import Workspace, module_of

if TYPE_CHECKING:
    from promptslim.catalog import Catalog
    from promptslim.config.settings import Settings
    from promptslim.core.call import LlmCall, RetrySite
    from promptslim.core.usage import UsageArithmetic


NAMES = pattern(r"(?i)prompt|instruction|system_message")
"""Without one of these words a file names no prompt."""

USAGE_INPUTS = ("inputTokens", "inputTokenCount", "input_tokens", "prompt_tokens")
"""Keys of reported input counts: without one a file holds no cost arithmetic."""

MOST_STEPS = 2
"""Function calls followed from a retry loop to the request that it repeats."""


class Analyser:
    """Analyses the files of one run; what a file imports is parsed once."""

    def __init__(self, files: ProjectFiles, catalog: Catalog, settings: Settings) -> None:
        self.tables = signatures(catalog.sdks, settings.wrappers)
        self.workspace = Workspace(files, packages(self.tables))
        self.evaluator = Evaluator(self.workspace, origins(catalog.origins))
        self.catalog = catalog
        self._sites: dict[str, list[Recognised]] = {}

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
        sites = self.sites(module)
        calls = tuple(builder.calls(sites))
        return FileFacts(
            path,
            tuple(document for _, document in module.parts),
            calls,
            self._prompts(module, calls),
            _arithmetic(module),
            self._retries(module, sites),
            _comments(module),
            module.errors,
            self._batches(module, builder),
        )

    def _batches(self, module: Module, builder: Builder) -> tuple[LlmCall, ...]:
        forms = [one for one in self.tables.operations if one.batch and all(key in module.text for key in one.batch)]
        if not forms or WORD.search(module.text) is None:
            return ()
        from promptslim.extract.python.batch_records import batch_records

        return tuple(batch_records(builder, forms))

    def _prompts(self, module: Module, calls: tuple[LlmCall, ...]) -> tuple[Prompt, ...]:
        sent = prompts_of(calls)
        if any(package in module.text for package in TEMPLATE_PACKAGES):
            from promptslim.extract.python.sends import sent_by_models

            built = {(call.location.cell, call.location.span): call.id for call in calls if call.kind == "model"}
            sent = (*sent, *sent_by_models(module, self.evaluator, built))
        if NAMES.search(module.text) is None:
            return sent
        from promptslim.extract.python.named_prompts import named_prompts

        return (*sent, *named_prompts(module, self.evaluator, sent))

    def _retries(self, module: Module, sites: list[Recognised]) -> tuple[RetrySite, ...]:
        if not module.index.tries:
            return ()
        from promptslim.extract.python.retries import retries

        return tuple(retries(module, self.evaluator, sites, self.reached))

    def sites(self, module: Module) -> list[Recognised]:
        """The LLM calls of a module, recognised once."""
        if module.path not in self._sites:
            self._sites[module.path] = list(recognised(module, self.evaluator, self.tables))
        return self._sites[module.path]

    def reached(self, module: Module, function: FunctionNode, depth: int = 0) -> Recognised | None:
        """The LLM call that a function makes, itself or through project functions it calls (two steps)."""
        for site in self.sites(module):
            if site.operation.kind == "request" and module.enclosing_function(site.node) is function:
                return site
        if depth >= MOST_STEPS:
            return None
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                callee = self.evaluator.evaluate(node.func, self.evaluator.frame_of(module, node))
                if isinstance(callee, Function) and callee.node is not function:
                    found = self.reached(callee.module, callee.node, depth + 1)
                    if found is not None:
                        return found
        return None


def _arithmetic(module: Module) -> tuple[UsageArithmetic, ...]:
    if not any(key in module.text for key in USAGE_INPUTS):
        return ()
    from promptslim.extract.python.arithmetic import arithmetic

    return tuple(arithmetic(module))


def _comments(module: Module) -> tuple[Comment, ...]:
    if "promptslim:" not in module.text:
        return ()
    from promptslim.extract.python.comments import comments

    return tuple(comments(module))
