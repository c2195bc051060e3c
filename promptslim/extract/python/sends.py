"""What is sent through a LangChain model object: ``model.invoke(messages)``, ``(prompt | model).invoke({...})``.

The settings of such a call are those of the constructor, which is the call site that is reported; here are the texts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from promptslim.core.prompt import Prompt
from promptslim.core.record import replace
from promptslim.core.text import Span
from promptslim.extract.python.abstract import Chain, Instance, Record, Sequence, Template, Text, Value, alternatives
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.module import Module
from promptslim.extract.python.prompts import messages_of, prompt_of
from promptslim.extract.python.records import spread
from promptslim.extract.python.templates import PACKAGES, chat_filled, rendered

SENDS = ("invoke", "ainvoke", "stream", "astream", "batch", "abatch", "predict", "apredict", "generate", "__call__")
MOST_CALLS = 200


Place = tuple[int | None, Span]


def sent_by_models(module: Module, evaluator: Evaluator, built: Mapping[Place, str]) -> Iterator[Prompt]:
    """The prompts that a module sends through model objects. ``built`` gives the ids of the module's own model
    constructors by cell and span."""
    nodes = [node for name in SENDS for node in module.index.calls.get(name, ())]
    for node in sorted(nodes, key=lambda call: (call.lineno, call.col_offset))[:MOST_CALLS]:
        if not isinstance(node.func, ast.Attribute):
            continue
        evaluator.begin()
        frame = evaluator.frame_of(module, node)
        for _, receiver in alternatives(evaluator.evaluate(node.func.value, frame)):
            model = _model(receiver)
            if model is not None:
                given = evaluator.evaluate(node.args[0], frame) if node.args else Record()
                users = _users(model, module, built)
                for prompt in _prompts(module, evaluator, node, receiver, given, frame):
                    yield replace(prompt, used_by=users)
                break


def _users(model: Instance, module: Module, built: Mapping[Place, str]) -> tuple[str, ...]:
    if model.frame.module is not module or not is_real(model.call):
        return ()
    made = module.locate(model.call)
    user = built.get((made.cell, made.span))
    return (user,) if user is not None else ()


def _model(receiver: Value) -> Instance | None:
    """The model object that a call sends through."""
    items = receiver.items if isinstance(receiver, Chain) else (receiver,)
    for item in items:
        if isinstance(item, Instance) and item.name.startswith(PACKAGES):
            last = item.name.rpartition(".")[2]
            if last.startswith("Chat") or last == "init_chat_model" or last.endswith(("LLM", "Bedrock")):
                return item
    return None


def _prompts(
    module: Module, evaluator: Evaluator, node: ast.Call, receiver: Value, given: Value, frame: Frame
) -> Iterator[Prompt]:
    where = module.locate(node.func)
    label = f"{module.path}::{module.qualname(node)}:{getattr(node.func, 'attr', '')}"
    content = _filled(receiver, given) if isinstance(receiver, Chain) else given
    if isinstance(content, (Text, Template)):
        prompt = prompt_of(evaluator, content, frame, "user", where, label)
        found: tuple[Prompt, ...] = (prompt,)
    elif isinstance(content, Sequence):
        found = messages_of(evaluator, content, frame, where, label).prompts
    else:
        return
    for prompt in found:
        if prompt.static_text.strip():
            yield replace(prompt, scope=module.qualname(node))


def _filled(chain: Chain, given: Value) -> Value | None:
    """The prompt of a chain with what the call and the steps before it give."""
    arguments = given if isinstance(given, Record) else Record(open="invoke")
    for item in chain.items:
        match item:
            case Record():
                arguments = spread(item, arguments, "invoke")
            case Template():
                return rendered(item, arguments)
            case Sequence(kind="chat"):
                return chat_filled(item, arguments)
            case _:
                pass
    return None
