"""The SDK tables (rules/sdks/*.toml) as the recogniser reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from promptslim.core.record import field, record

CAP_KEYS = frozenset(
    {
        "max_tokens",
        "maxTokens",
        "max_tokens_to_sample",
        "maxTokensToSample",
        "max_new_tokens",
        "maxNewTokens",
        "maxTokenCount",
        "max_gen_len",
        "max_completion_tokens",
        "max_output_tokens",
        "maxOutputTokens",
        "num_predict",
    }
)
"""Every key that caps the output in some API."""


@record
class Client:
    """How a client object comes to be, and where its settings stand."""

    name: str
    constructors: tuple[tuple[str, str], ...]
    factories: tuple[tuple[str, str], ...]
    methods: tuple[str, ...]
    argument: str | None
    values: tuple[str, ...]
    read_timeout: str | None
    attempts: tuple[str, ...]
    base_url: tuple[str, ...]
    modules: tuple[str, ...]
    caps: tuple[str, ...]


@record
class Default:
    """A cap that the SDK fills in by itself for some models."""

    vendors: tuple[str, ...]
    prefixes: tuple[str, ...]
    value: int | None
    version: str
    note: str


@record
class Operation:
    """One call form of an SDK; the keys are those of rules/sdks/README.md."""

    sdk: str
    kind: str
    route: str
    clients: tuple[str, ...]
    methods: tuple[tuple[str, ...], ...]
    functions: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    constructors: tuple[tuple[str, str], ...]
    streaming: tuple[str, ...]
    positional: tuple[str, ...]
    keywords: frozenset[str]
    not_keywords: frozenset[str]
    hints: tuple[str, ...]
    only_known_client: bool
    requires_any: frozenset[str]
    body: str | None
    batch: tuple[str, ...]
    arguments: Mapping[str, tuple[str, ...]]
    model_on_client: tuple[Any, ...]
    cap_on_client: tuple[str, ...]
    cap_required: bool
    cap_opaque: bool
    cap_on_model: bool
    cap_default: Default | None
    cap_when: tuple[Default, ...]

    def paths(self, what: str) -> tuple[str, ...]:
        """Where an argument may stand in the request, the most usual place first."""
        return self.arguments.get(what, ())


@record
class Body:
    """Where the cap and the texts stand in an ``invoke_model`` body of one model family."""

    family: str
    marks: tuple[str, ...]
    arguments: Mapping[str, tuple[str, ...]]
    required: bool
    skip: frozenset[str]


@record
class Signatures:
    """All tables, indexed for recognition. ``tails`` maps the last name of a method path to its operations,
    ``settings`` what a setting of a request is called to the keys that it goes by."""

    clients: Mapping[str, Client]
    operations: tuple[Operation, ...]
    bodies: Mapping[str, Body]
    not_text: frozenset[str]
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tails: Mapping[str, tuple[Operation, ...]] = field(default_factory=dict)
    called: Mapping[str, tuple[Operation, ...]] = field(default_factory=dict)


COMMON_NAMES = frozenset({"agents", "google", "genai", "phi"})
"""Package names of SDKs that projects use for folders of their own."""


def packages(tables: Signatures) -> frozenset[str]:
    """The import names of the SDKs, as far as nobody else would use them."""
    pairs = [
        pair
        for operation in tables.operations
        for pair in (*operation.functions, *operation.constructors)
        if not operation.names
    ]
    pairs += [pair for client in tables.clients.values() for pair in (*client.constructors, *client.factories)]
    return frozenset(root for root, _ in pairs) - COMMON_NAMES


def signatures(tables: Iterable[Mapping[str, Any]], wrappers: Mapping[str, Mapping[str, Any]]) -> Signatures:
    """Reads the tables, and the user's wrappers (dotted name -> operation table)."""
    clients: dict[str, Client] = {}
    operations: list[Operation] = []
    bodies: dict[str, Body] = {}
    not_text: set[str] = set()
    settings: dict[str, tuple[str, ...]] = {}
    for table in tables:
        for raw in table.get("client", ()):
            client = _client(raw)
            clients[client.name] = client
        operations.extend(_operation(raw) for raw in table.get("operation", ()))
        for raw in table.get("body", ()):
            bodies[raw["family"]] = _body(raw)
        for raw in table.get("not_text", ()):
            not_text.update(raw["keys"])
        settings |= {name: _many(keys) for name, keys in table.get("settings", {}).items()}
    operations.extend(_wrapper(name, raw) for name, raw in wrappers.items())
    tails: dict[str, list[Operation]] = {}
    called: dict[str, list[Operation]] = {}
    for operation in operations:
        for tail in {path[-1] for path in operation.methods}:
            tails.setdefault(tail, []).append(operation)
        direct = [name for _, name in (*operation.functions, *operation.constructors)] + list(operation.names)
        for name in {full.rsplit(".", 1)[-1] for full in direct}:
            called.setdefault(name, []).append(operation)
    return Signatures(
        clients,
        tuple(operations),
        bodies,
        frozenset(not_text),
        settings,
        {name: tuple(found) for name, found in tails.items()},
        {name: tuple(found) for name, found in called.items()},
    )


def _pairs(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """``root:Name`` entries: the package a dotted name starts with, and what it ends with."""
    return tuple((root, name) for root, _, name in (value.partition(":") for value in values))


def _many(value: object) -> tuple[Any, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _client(raw: Mapping[str, Any]) -> Client:
    return Client(
        name=raw["name"],
        constructors=_pairs(raw.get("constructors", ())),
        factories=_pairs(raw.get("factories", ())),
        methods=tuple(raw.get("methods", ())),
        argument=raw.get("argument"),
        values=tuple(raw.get("values", ())),
        read_timeout=raw.get("read_timeout"),
        attempts=tuple(raw.get("attempts", ())),
        base_url=tuple(raw.get("base_url", ())),
        modules=tuple(raw.get("modules", ())),
        caps=tuple(raw.get("caps", ())),
    )


def _operation(raw: Mapping[str, Any]) -> Operation:
    arguments = raw.get("arguments", {})
    cap = raw.get("cap", {})
    fills = cap.get("fills") or "default" in cap
    return Operation(
        sdk=raw["sdk"],
        kind=raw.get("kind", "request"),
        route=raw.get("route", "other"),
        clients=_many(raw.get("client")),
        methods=tuple(tuple(path.split(".")) for path in raw.get("methods", ())),
        functions=_pairs(raw.get("functions", ())),
        names=tuple(raw.get("names", ())),
        constructors=_pairs(raw.get("constructors", ())),
        streaming=tuple(raw.get("streaming", ())),
        positional=tuple(raw.get("positional", ())),
        keywords=frozenset(raw.get("keywords", ())),
        not_keywords=frozenset(raw.get("not_keywords", ())),
        hints=tuple(raw.get("hints", ())),
        only_known_client=bool(raw.get("only_known_client")),
        requires_any=frozenset(raw.get("requires_any", ())),
        body=raw.get("body"),
        batch=tuple(raw.get("batch", ())),
        arguments={
            name: _many(paths) for name, paths in arguments.items() if name not in ("model_on_client", "cap_on_client")
        },
        model_on_client=_many(arguments.get("model_on_client")),
        cap_on_client=_many(arguments.get("cap_on_client")),
        cap_required=bool(cap.get("required")),
        cap_opaque=bool(cap.get("opaque")),
        cap_on_model=bool(cap.get("on_model")),
        cap_default=Default((), (), cap.get("default"), cap.get("default_version", ""), cap.get("note", ""))
        if fills
        else None,
        cap_when=tuple(
            Default(
                _many(when.get("vendor")),
                _many(when.get("model")),
                when.get("default"),
                when.get("version", ""),
                when.get("note", ""),
            )
            for when in cap.get("when", ())
        ),
    )


def _wrapper(dotted: str, raw: Mapping[str, Any]) -> Operation:
    """A wrapper of the user's: the same keys, with arguments at the top level allowed as in the README."""
    table = dict(raw)
    if "arguments" not in table:
        names = ("model", "max_tokens", "system", "messages", "tools", "metadata", "thinking", "stream")
        table["arguments"] = {name: table.pop(name) for name in names if name in table}
    root, _, _ = dotted.partition(".")
    table.setdefault("sdk", dotted)
    table.setdefault("names", [dotted])
    table.setdefault("functions", [f"{root}:{dotted.rpartition('.')[2]}"])
    return _operation(table)


def _body(raw: Mapping[str, Any]) -> Body:
    names = ("max_tokens", "system", "messages", "tools", "thinking")
    return Body(
        family=raw["family"],
        marks=tuple(raw.get("marks", ())),
        arguments={name: _many(raw.get(name)) for name in names},
        required=bool(raw.get("required")),
        skip=frozenset(raw.get("skip", ())),
    )
