"""The prompts of a suite, in promptfoo's forms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from promptslim.extract.files.data import DataList, DataMap, DataNode, DataText
from promptslim.verify.suite_files import DATA, FILE, PROGRAMS, SuiteFiles
from promptslim.verify.suite_nodes import error, known, listed, one_text, plain, texts

PROMPT_KEYS = ("content", "id", "label", "raw")
_FOREIGN = {
    "config": "parameters stand under parameters, and are the same for both prompts",
    "function": "a proof is of a text; write the prompt that the function makes into a file",
}
_SEPARATOR = re.compile(r"(?m)^---[ \t]*\r?\n|^---[ \t]*\Z")


def prompts_of(top: DataMap, files: SuiteFiles) -> tuple[str, ...]:
    """Ids of prompts in the code, ``file://`` paths or texts. Raises SuiteError."""
    found = [(_conversation(name, node, files) or name, node) for name, node in _named(top, files)]
    if not found:
        raise error(top, "names no prompts: put ids of prompts in the code, file:// paths or texts under prompts")
    if len(found) == 1:
        return _divided(*found[0], files)
    return tuple(name for name, _ in found)


def _named(top: DataMap, files: SuiteFiles) -> Iterator[tuple[str, DataNode]]:
    prompts = top.get("prompts")
    if isinstance(prompts, DataMap) and not any(entry.key in PROMPT_KEYS for entry in prompts.entries):
        # promptfoo's old form: paths with their labels
        for entry in prompts.entries:
            if not isinstance(entry.value, DataText):
                raise error(entry.value, "prompts is a list, or a mapping of paths to labels")
            yield str(entry.key), prompts
    else:
        for node in listed(prompts):
            yield _name(node, files), node
    for text in texts(top, "prompt"):
        yield text, top


def _name(node: DataNode, files: SuiteFiles) -> str:
    match node:
        case DataText(text=text):
            name = text
        case DataMap():
            files.passed_over(known(node, PROMPT_KEYS, "a prompt", _FOREIGN, "description display"))
            key = next((one for one in ("raw", "content", "id", "label") if node.get(one) is not None), "id")
            name = one_text(node, key, "a prompt is a text, or a mapping with id (file:// and a path) or raw (a text)")
        case _:
            raise error(node, "a prompt is a text, or a mapping with id (file:// and a path) or raw (a text)")
    path = name.removeprefix(FILE)
    if not path:
        raise error(node, "the prompt is empty")
    if not any(char.isspace() for char in name) and "::" not in name:
        if path.endswith(PROGRAMS) or path.rpartition(":")[0].endswith(PROGRAMS):
            raise error(node, f"the prompt is made by the program {path!r}: write the text that it makes into a file")
        if name.startswith(FILE) and path.endswith((".csv", ".jsonl", ".xlsx")):
            raise error(node, f"prompts in {path!r} are not read: name each prompt, as a text or the file of one")
        if name.startswith(FILE) and any(char in path for char in "*?["):
            raise error(node, f"the pattern {path!r} is not followed: name each prompt")
    return name


def _conversation(name: str, node: DataNode, files: SuiteFiles) -> str | None:
    """The JSON of a file with a conversation, which counts as part of the suite then; None for any other prompt."""
    if not name.startswith(FILE) or "::" in name or not name.endswith(DATA):
        return None
    text = files.glance(name)
    if text is None or "role" not in text or "content" not in text:
        return None
    tree = files.tree(name, node) if name.endswith((".yaml", ".yml")) else None
    if tree is None:
        found = text.strip() if text.lstrip().startswith("[") else None
    else:
        found = json.dumps(plain(tree), ensure_ascii=False) if isinstance(tree, DataList) else None
    if found is not None:
        files.text(name, node)
    return found


def _divided(name: str, node: DataNode, files: SuiteFiles) -> tuple[str, ...]:
    """Like promptfoo: a text file that stands alone under ``prompts`` has several prompts, if lines of ``---`` divide
    it. The file counts as part of the suite then."""
    if not name.startswith(FILE) or not name.endswith(".txt"):
        return (name,)
    text = files.glance(name)
    if text is None:
        return (name,)
    parts = [part.strip() for part in _SEPARATOR.split(text)]
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return (name,)
    files.text(name, node)
    return tuple(parts)
