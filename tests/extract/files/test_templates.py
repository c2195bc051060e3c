"""Templates: what is sent, what is filled in, and where each character stands."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.prompt import Hole, Literal, Part
from promptslim.core.text import Document, Span
from promptslim.extract.files import jinja_parts, plain_parts
from promptslim.extract.files.mapped import mapped
from promptslim.extract.files.placeholders import format_parts, mustache_parts, shape_of


def shown(parts: tuple[Part, ...]) -> list[object]:
    """Texts (with a question mark where not always sent) and (origin, name) of holes."""
    found: list[object] = []
    for part in parts:
        if isinstance(part, Literal):
            found.append(("?" if part.maybe else "") + part.text)
        elif isinstance(part, Hole):
            found.append((part.origin, part.name))
    return found


def places_hold(parts: tuple[Part, ...]) -> None:
    for part in parts:
        if isinstance(part, Literal) and part.source_map is not None:
            assert part.location is not None
            source = part.location.document.text
            assert "".join(source[at] for at in part.source_map[:-1]) == part.text
            assert part.location.text.startswith(part.text[:1])


def jinja(source: str, **includes: str) -> tuple[Part, ...]:
    documents = {name + ".j2": Document(f"prompts/{name}.j2", text) for name, text in includes.items()}
    parts = jinja_parts(Document("prompts/main.j2", source), include=documents.get)
    places_hold(parts)
    return parts


PIECES = st.sampled_from(
    [
        "a", " b ", "\n", "  \n", "{{ x }}", "{{- x }}", "{{ x -}}", "{# c #}", "{#- c -#}", "{% if y %}",
        "{%- if y -%}",
        "{% endif %}", "{%- endif -%}", "{% raw %}{{ z }}{% endraw %}", "{%- raw -%} {% q %} {%- endraw -%}",
        "{", "}", "é😀",
        '{{ "lit" }}', "{% else %}",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=10), st.booleans(), st.booleans())
@settings(max_examples=800, deadline=None)
def test_parts_render_as_jinja_does(pieces: list[str], trim: bool, lstrip: bool) -> None:
    source = "".join(pieces)
    syntax = {"trim_blocks": trim, "lstrip_blocks": lstrip}
    try:
        template = jinja2.Environment(**syntax).from_string(source)
    except jinja2.TemplateSyntaxError:
        return
    parts = jinja_parts(Document("a.j2", source), syntax=syntax)
    places_hold(parts)
    if "else" not in source:
        printed = "".join(part.text if isinstance(part, Literal) else "<X>" for part in parts)
        assert printed == template.render(x="<X>", y=True)
    always = "".join(part.text for part in parts if isinstance(part, Literal) and not part.maybe)
    if "else" not in source:
        assert always == template.render(x="", y=False)


def test_branches_loops_and_what_they_print() -> None:
    parts = jinja(
        "Rules.\n{% if tone %}Tone: {{ tone }}{% endif %}"
        "{% for d in documents %}<{{ d.text | truncate(90) }}>{% endfor %}"
        "{{ data | tojson(indent=2) }}{{ rows[:50] }}{{ now() }}{{ helper(1) }}"
    )
    assert shown(parts) == [
        "Rules.\n", "?Tone: ", ("argument", "tone"), "?<", ("loop", "documents"), "?>", ("argument", "data"),
        ("argument", "rows"), ("clock", "now"), ("call", None),
    ]  # fmt: skip
    holes = [part for part in parts if isinstance(part, Hole)]
    assert [hole.bound for hole in holes] == [None, 90, None, 50, None, None]
    assert [[one.kind for one in hole.transforms] for hole in holes[:4]] == [[], ["slice"], ["indent"], ["slice"]]
    assert holes[1].source is not None
    assert holes[1].source.text == "{% for d in documents %}"
    assert holes[0].location is not None
    assert holes[0].location.text == "{{ tone }}"


def test_templates_within_templates() -> None:
    base = "Base. {% block body %}default{% endblock %} End."
    assert shown(jinja('{% include "part.j2" %}!', part="Part {{ p }}.")) == ["Part ", ("argument", "p"), ".", "!"]
    assert shown(jinja('{% extends "base.j2" %}{% block body %}Own {{ o }}{% endblock %}', base=base)) == [
        "Base. ", "Own ", ("argument", "o"), " End.",
    ]  # fmt: skip
    assert shown(jinja('{% include "gone.j2" %} x')) == [("unknown", None), " x"]
    assert shown(jinja('{% include "self.j2" %}x', self='{% include "self.j2" %}y'))[-2:] == ["y", "x"]


def test_macros_and_set_blocks_stand_where_they_are_printed() -> None:
    source = "{% macro m(a) %}M {{ a }}{% endmacro %}{% set s %}S{% endset %}A {{ s }} {{ m(1) }}"
    assert shown(jinja(source)) == ["A ", "S", " ", "?M ", ("argument", "a")]


def test_a_template_inside_a_document() -> None:
    document = Document("a.py", 'T = "Hi {{ name }}, bye"\n')
    parts = jinja_parts(document, Span(5, 23))
    assert shown(parts) == ["Hi ", ("argument", "name"), ", bye"]
    assert [part.location.text for part in parts if part.location] == ["Hi ", "{{ name }}", ", bye"]


@pytest.mark.parametrize("source", ["{% if x %}", "{{ x", "{% endfor %}", "{{ 'x }}", "{% for %}a{% endfor %}"])
def test_a_broken_template_is_one_hole(source: str) -> None:
    assert shown(jinja(source)) == [("unknown", None)]


def test_a_tag_of_an_unknown_extension_is_passed_over() -> None:
    assert shown(jinja("{% chat role='x' %}Hello {{ n }}{% endchat %}")) == ["Hello ", ("argument", "n")]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Be kind.", "plain"),
        ("Hello {name}.", "format"),
        ('Say {{"a": 1}} to {name}', "format"),
        ('Say {"a": 1} to {name}', "plain"),
        ("Hello {{name}} and { }", "mustache"),
        ("{{#each items}}- {{this}}{{/each}}", "mustache"),
        ("{{$input}} to {{ lang }}", "mustache"),
        ("in Vue: {{ text }} and {{ a ? b : 'c' }}", "plain"),
        ("env: ${{ secrets.KEY }}", "plain"),
        ("{% if x %}y{% endif %}", "jinja"),
        ("{{ docs | join }}", "jinja"),
        ("f(x) = {1, 2}", "plain"),
    ],
)
def test_shape_is_told_by_the_content(text: str, shape: str) -> None:
    assert shape_of(text) == shape


FORMATS = st.lists(st.sampled_from(["a b", "{{", "}}", "{x}", "{y.z}", "{x!r:>4}", "\n", "é"]), max_size=10).map(
    "".join
)


@given(FORMATS)
def test_format_parts_are_what_str_format_sends(source: str) -> None:
    parts = format_parts(mapped(Document("a.txt", source)))
    places_hold(parts)
    text = "".join(part.text if isinstance(part, Literal) else "<>" for part in parts)

    class Any:
        z = property(lambda self: self)

        def __format__(self, how: str) -> str:
            return "<>"

        __repr__ = __format__

    if "!r" not in source:
        assert text == source.format(x=Any(), y=Any())


def test_mustache_sections_comments_and_partials() -> None:
    source = "Hi {{{name}}}{{! no }}{{#docs}}<{{.}}>{{/docs}}{{> footer}} ${{ env.X }}"
    parts = mustache_parts(mapped(Document("a.md", source)))
    places_hold(parts)
    assert shown(parts) == [
        "Hi ", ("argument", "name"), "?<", ("loop", "docs"), "?>", ("unknown", None), " ${{ env.X }}",
    ]  # fmt: skip


@given(st.text(st.sampled_from("{}%#ab \n|'\"-"), max_size=30))
@settings(max_examples=500, deadline=None)
def test_no_text_crashes_a_reader(source: str) -> None:
    document = Document("a.j2", source)
    for parts in (jinja_parts(document), format_parts(mapped(document)), mustache_parts(mapped(document))):
        places_hold(parts)
    assert "".join(part.text for part in plain_parts(document) if isinstance(part, Literal)) == source
