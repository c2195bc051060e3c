"""A call to a language model, or the constructor of a model or agent, with what was resolved of it."""

from __future__ import annotations

from typing import Literal as Choice

from promptslim.core.prompt import CachePoint, Prompt
from promptslim.core.record import record
from promptslim.core.text import Location, Span
from promptslim.core.values import ABSENT, Field

CallKind = Choice["request", "model", "agent"]
"""request: the call that sends; model: constructor that holds the settings; agent: constructor of an agent."""


@record
class CapKey:
    """An output-cap key as it is written, with its path in the request (``inferenceConfig.maxTokens``)."""

    path: str
    value: object
    location: Location


@record
class ClientFacts:
    """What is known of the client object behind a call.

    Timeouts are seconds; ``attempts`` counts the first try too. A field is Unknown where the client is
    not visible, Absent where it is and leaves the setting out.
    """

    constructor: str | None
    location: Location | None
    read_timeout: Field[float]
    attempts: Field[int]
    base_url: Field[str]


@record
class Loop:
    """The innermost loop around a call.

    ``over`` is the source text iterated; ``attempts`` is true where the loop repeats the same task
    (``for attempt in range(3)``, ``while True`` with a successful return); ``carried`` is true where the
    call depends on an earlier round (history, feedback, an early exit); ``size`` is the number of rounds
    where the items are written out in the program (a literal list, ``range(3)``), else None.
    """

    kind: Choice["for", "while", "comprehension"]
    over: str
    location: Location
    attempts: bool
    carried: bool
    concurrent: bool = False
    size: int | None = None


@record
class Retry:
    """A path on which the same request is sent again.

    ``cause``: ``malformed`` (a parse or validation failure of the answer), ``transport`` (throttling,
    timeouts, readiness) or ``unknown``.
    """

    cause: Choice["malformed", "transport", "unknown"]
    location: Location
    evidence: str


@record
class RetrySite:
    """A call inside a retry loop that sends a request: an LLM call itself, or a function of the project that
    makes one. ``sdk`` and ``model`` are those of the LLM call, where they are known."""

    retry: Retry
    callee: str
    scope: str
    scope_location: Location | None
    primary: Location
    sdk: str | None
    direct: bool


@record
class Disorder:
    """What gives the tools of a request another order or content each time: the order of a set, a shuffle, or a
    change while a loop sends them."""

    kind: Choice["set order", "random order", "changed"]
    location: Location


@record
class ControlFacts:
    """The control flow around a call.

    ``rounds`` is the innermost loop that is not one of attempts at the same task. ``grows`` is the place in a loop
    that runs tools where the conversation that the call sends gets longer, so that each round sends the rounds
    before it again. ``service``: the call stands in a method, which an object of the class can run again and again.
    """

    loop: Loop | None = None
    handler: bool = False
    interactive: bool = False
    asynchronous: bool = False
    rounds: Loop | None = None
    grows: Location | None = None
    service: bool = False


Reach = Choice["loop", "object", "module", "session", "memory"]


@record
class History:
    """A list of messages that is sent whole and grows with every turn, with nothing seen that shortens it.

    ``name`` is the list as written; ``reach`` what keeps it between turns: a chat ``loop``, an ``object``, the
    ``module``, a web ``session``, or the ``memory`` of a framework. ``grows`` is the first place that adds to it.
    ``tools`` is true where results of tools are added as well.
    """

    name: str
    reach: Reach
    grows: Location
    tools: bool = False


@record
class LlmCall:
    """One call site. Fields follow design.md; ``opaque`` says that keys may come from outside
    (``**kwargs``, an unresolved body), so that an absent key proves nothing.

    ``caching`` is what switches prompt caching on outside of the prompts: a setting of the call or of its model
    object, or a marker in the class, module or helpers around it, which may reach this call too. Absent: nothing
    of the kind is to be seen. Unknown: not looked for, since the provider caches without being asked.
    ``disorder`` is what changes the order of the tools where their text does not show it.
    ``automatic`` is a cache marker for the request as a whole, which the service puts on the last block that can be
    cached (Anthropic's ``cache_control`` argument); its ``known`` is false where it is set on some paths only, or where
    not all that is sent can be seen.
    ``settings`` are those that decide what the model answers and have no field here: temperature, stop sequences and
    the like, by the names of ``rules/sdks/settings.toml``.
    """

    id: str
    sdk: str
    operation: str
    kind: CallKind
    callee: str
    scope: str
    scope_span: Span | None
    location: Location
    primary: Location
    model: Field[str]
    max_tokens: Field[int]
    cap_keys: tuple[CapKey, ...]
    system: Field[Prompt]
    messages: Field[tuple[Prompt, ...]]
    tools: Field[Prompt]
    cache_points: Field[int]
    metadata: Field[object]
    thinking: Field[object]
    stream: Field[bool]
    client: ClientFacts
    control: ControlFacts
    opaque: bool
    caching: Field[str] = ABSENT
    disorder: tuple[Disorder, ...] = ()
    history: History | None = None
    automatic: CachePoint | None = None
    settings: tuple[tuple[str, Field[object]], ...] = ()
