"""The lock and its evidence: reading, writing, and what makes a proof invalid, expired or open."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import APP, EVIDENCE, TODAY, checked, claim_of, forged, inputs, lay_out, prove, rows, said, stored, write

from promptslim.check.data_meaning import data_meaning
from promptslim.proof.canonical import digest
from promptslim.proof.errors import ProofFileError
from promptslim.proof.evidence import Row, read_evidence, render_evidence
from promptslim.proof.judge import JudgeErrors
from promptslim.proof.lock import Lock, Look, claim_data, made_entry, read_lock, render_lock
from promptslim.proof.recompute import Checked, Demands, Surroundings, recompute
from promptslim.proof.verdict import Pair

ROOT = Path(__file__).parents[2]


def again(folder: Path, today: date = TODAY, ends: date | None = None, **demands: object) -> Checked:
    """The status of the proof as it is on disk, with the code as it is."""

    def read(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.is_file() else None

    _, code = inputs(folder)
    around = Surroundings(today, read, canonical=data_meaning, ends=lambda model: ends)
    return recompute(stored(folder), code, around, Demands(**demands))  # type: ignore[arg-type]


def test_a_proof_is_valid_and_gives_the_same_bytes_again(tmp_path: Path) -> None:
    entry = prove(tmp_path)
    assert again(tmp_path) == Checked(stored(tmp_path), "VALID", applied=True)
    assert stored(tmp_path) == entry
    lock, evidence = (tmp_path / "promptslim.lock").read_bytes(), (tmp_path / EVIDENCE).read_bytes()
    prove(tmp_path)
    assert ((tmp_path / "promptslim.lock").read_bytes(), (tmp_path / EVIDENCE).read_bytes()) == (lock, evidence)
    later = replace(entry, date=TODAY + timedelta(days=1))
    assert later.digest == entry.digest
    assert said(tmp_path) == []


def test_lowering_the_margin_is_caught(tmp_path: Path) -> None:
    entry = prove(tmp_path)
    path = tmp_path / "promptslim.lock"
    path.write_text(path.read_text("utf-8").replace('"margin": 0.1', '"margin": 0.05'), "utf-8")
    assert "edited by hand" in again(tmp_path).message
    terms = replace(entry.claim.terms, margin=0.05)
    write(tmp_path, forged(entry, claim=replace(entry.claim, terms=terms)))
    assert "method.margin of the lock differs" in again(tmp_path).message
    claim = replace(entry.claim, terms=terms)
    evidence = render_evidence(claim_data(claim), rows())
    (tmp_path / EVIDENCE).write_bytes(evidence)
    write(tmp_path, forged(entry, claim=claim, evidence_hash=digest(evidence)))
    assert "the evidence gives INCONCLUSIVE" in again(tmp_path).message, "40 items cannot show 5 points"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"looks": (Look(40, "FAIL"),)}, "the evidence gives PASS"),
        ({"looks": ()}, "records no look"),
        ({"looks": (Look(41, "PASS"),)}, "has 40 items for look 1, the lock 41"),
        ({"looks": (Look(40, "PASS"), Look(40, "PASS"))}, "the one declared look at these tests is spent"),
        ({"result": {"verdict": "PASS"}}, "other numbers"),
        ({"evidence_hash": "0" * 64}, "not the one that the lock records"),
        ({"date": TODAY + timedelta(days=9)}, "still to come"),
    ],
)
def test_forged_entries(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    entry = prove(tmp_path)
    write(tmp_path, forged(entry, **changes))
    found = again(tmp_path)
    assert (found.status, message in found.message) == ("INVALID", True), found.message


def test_numbers_may_differ_in_the_last_digit(tmp_path: Path) -> None:
    entry = prove(tmp_path)
    near = {**entry.result, "upper": entry.result["upper"] + 1e-6}
    write(tmp_path, forged(entry, result=near))
    assert again(tmp_path).status == "VALID"
    write(tmp_path, forged(entry, result={**near, "upper": entry.result["upper"] - 1e-3}))
    assert again(tmp_path).status == "INVALID"
    write(tmp_path, forged(entry, result={**near, "items": 41}))
    assert again(tmp_path).status == "INVALID"


def test_what_the_project_demands(tmp_path: Path) -> None:
    prove(tmp_path)
    assert "margin of 10 points is wider than the project's 5" in again(tmp_path, margin=0.05).message
    assert "alpha of 0.05 is larger" in again(tmp_path, alpha=0.01).message
    assert again(tmp_path, TODAY + timedelta(days=31), days=30).status == "EXPIRED"
    assert again(tmp_path, TODAY + timedelta(days=30), days=30).status == "VALID"
    assert "retired on 2026-11-23" in again(tmp_path, ends=TODAY).message
    (tmp_path / EVIDENCE).unlink()
    assert again(tmp_path).status == "MISSING"


def test_a_look_that_did_not_pass(tmp_path: Path) -> None:
    prove(tmp_path, worse=2)
    found = again(tmp_path)
    assert (found.status, "the shorter prompt is in the code" in found.message) == ("INVALID", True)
    entry = stored(tmp_path)
    assert entry.looks == (Look(40, "INCONCLUSIVE"),)
    before = replace(entry.claim, before=entry.claim.after, after="0" * 64)
    evidence = render_evidence(claim_data(before), rows(worse=2))
    (tmp_path / EVIDENCE).write_bytes(evidence)
    write(tmp_path, forged(entry, claim=before, evidence_hash=digest(evidence)))
    assert (again(tmp_path).status, again(tmp_path).applied) == ("OPEN", False)
    assert said(tmp_path) == []


def test_a_later_look_with_more_items(tmp_path: Path) -> None:
    prove(tmp_path, worse=1, looks=2)
    entry = stored(tmp_path)
    assert entry.looks == (Look(40, "INCONCLUSIVE"),)
    more = [*rows(worse=1), *(Row(Pair(f"m{n}", (1,), (1,)), look=2) for n in range(60))]
    claim = replace(entry.claim, terms=replace(entry.claim.terms, items=100))
    second, evidence, outcome = made_entry(entry.id, "app.py", claim, more, TODAY, EVIDENCE, entry.looks)
    assert outcome.level == 0.025
    assert second.looks == (Look(40, "INCONCLUSIVE"), Look(100, "PASS"))
    (tmp_path / EVIDENCE).write_bytes(evidence)
    write(tmp_path, second)
    assert again(tmp_path).status == "VALID"
    write(tmp_path, forged(second, looks=(Look(100, "PASS"),)))
    assert "has 40 items for look 1" in again(tmp_path).message, "a look that is hidden"
    spent = replace(claim, spent=1)
    third, _, outcome = made_entry(entry.id, "app.py", spent, more, TODAY, EVIDENCE, entry.looks)
    assert (outcome.decision, third.looks[-1].decision) == ("INCONCLUSIVE", "INCONCLUSIVE"), "nothing is left of alpha"


def test_judges_clusters_slices_and_repeats_come_back(tmp_path: Path) -> None:
    lay_out(tmp_path, {"app.py": APP})
    _, code = inputs(tmp_path)
    files = {"suite.yaml": "a", "grade.py": "b"}
    judge = JudgeErrors(300, 0, 300, 0)
    claim = claim_of(code, files, method="graded", judge=judge, critical=("money",), looks=None, margin=0.2, items=90)
    found = [
        Row(
            Pair(f"{n}", (1, 0.9, None) if n == 1 else (1, 1, 1), (1, 1, 0.75), f"chat {n // 2}", ("money",)), 1, (9, 1)
        )
        for n in range(180)
    ]
    entry, evidence, outcome = made_entry("x", "app.py", claim, found, TODAY, "e.jsonl")
    assert (outcome.decision, outcome.units, outcome.items) == ("PASS", 90, 179)
    (back,) = read_lock(render_lock(Lock((entry,)))).entries
    assert back == entry
    assert read_evidence(evidence, "e.jsonl").rows == tuple(sorted(found, key=lambda row: row.pair.item))
    shuffled = [*found]
    random.Random(3).shuffle(shuffled)
    assert made_entry("x", "app.py", claim, shuffled, TODAY, "e.jsonl")[:2] == (entry, evidence)
    files_now = {"e.jsonl": evidence, "suite.yaml": b"a", "grade.py": b"b"}
    assert recompute(back, code, Surroundings(TODAY, files_now.get), Demands()).status == "VALID"


def test_entries_are_merged_by_prompt(tmp_path: Path) -> None:
    entry = prove(tmp_path)
    other = forged(entry, id="a.py::OTHER")
    lock = Lock().with_entry(entry).with_entry(other).with_entry(entry)
    assert [one.id for one in lock.entries] == ["a.py::OTHER", "app.py::SYSTEM"]
    assert read_lock(render_lock(lock)) == lock
    assert lock.without(["a.py::OTHER"]) == Lock((entry,))
    doubled = render_lock(Lock((entry, entry)))
    with pytest.raises(ProofFileError, match=r"a second proof of 'app\.py::SYSTEM'"):
        read_lock(doubled)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"promptslim\.lock:1: not JSON"),
        ("[]", "no lock of promptslim"),
        ('{"version": 2, "proofs": []}', "version 2 of the lock is not known; update"),
        ('{"version": 1, "proofs": [3]}', "proof 1 is broken"),
        ('{"version": 1, "proofs": [\n{"id": "x"}]}', r"promptslim\.lock:2: proof 1 lacks 'path'"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_broken_locks(text: str, message: str) -> None:
    with pytest.raises(ProofFileError, match=message) as caught:
        read_lock(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no evidence"),
        (b"{", "e.jsonl:1: the line is not JSON"),
        (b'{"promptslim_evidence":2,"claim":{}}', "version 2"),
        (b'{"promptslim_evidence":1,"claim":{}}\n{"item":"a"}\n', "e.jsonl:2: the line is no item"),
        (b'{"promptslim_evidence":1,"claim":{}}\n{"item":"a","old":true,"new":1}\n', "e.jsonl:2"),
        (b'{"promptslim_evidence":1,"claim":{}}\n{"item":"a","old":[[1]],"new":1}\n', "e.jsonl:2"),
        (b'{"promptslim_evidence":1,"claim":{}}\n{"item":"a","old":1,"new":1}\n{"item":\n', "e.jsonl:3"),
        (b'{"promptslim_evidence":1,"claim":{}}\n1,2\n', "e.jsonl:2"),
        (b"\xff\xfe", "e.jsonl:1"),
    ],
)
def test_broken_evidence(data: bytes, message: str) -> None:
    with pytest.raises(ProofFileError, match=message):
        read_evidence(data, "e.jsonl")


@given(st.binary(max_size=200))
def test_any_bytes_are_evidence_or_an_error(data: bytes) -> None:
    with suppress(ProofFileError):
        read_evidence(data, "e.jsonl")


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["id", "path"]), inner)),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("proof")
    prove(folder)
    data = json.loads((folder / "promptslim.lock").read_text("utf-8"))
    return data["proofs"][0]  # type: ignore[no-any-return]


@given(st.data(), json_values)
def test_any_value_at_any_place_is_a_lock_or_an_error(
    proof: dict[str, object], data: st.DataObject, value: object
) -> None:
    changed = json.loads(json.dumps(proof))
    target = changed
    for _ in range(3):
        key = data.draw(st.sampled_from(sorted(target)))
        if not isinstance(target[key], dict) or not target[key] or data.draw(st.booleans()):
            target[key] = value
            break
        target = target[key]
    with suppress(ProofFileError):
        lock = read_lock(json.dumps({"version": 1, "proofs": [changed]}))
        found = recompute(lock.entries[0], None, Surroundings(TODAY, lambda path: None), Demands())
        assert found.status in ("INVALID", "MISSING")


def test_without_texts(tmp_path: Path) -> None:
    prove(tmp_path, texts=False)
    assert b"text" not in (tmp_path / EVIDENCE).read_bytes()
    assert again(tmp_path).status == "VALID"
    prove(tmp_path)
    assert b'"texts":["yes","yes"]' in (tmp_path / EVIDENCE).read_bytes()


def test_findings_name_the_lock_and_the_prompt(tmp_path: Path) -> None:
    prove(tmp_path)
    (tmp_path / EVIDENCE).unlink()
    (finding,) = checked(tmp_path).findings
    assert (finding.code, finding.primary.path, finding.primary.start) == ("PS702", "promptslim.lock", (5, 7))
    assert [(one.location.path, one.location.start) for one in finding.related] == [("app.py", (3, 10))]
    lay_out(tmp_path, {"app.py": APP.replace("SYSTEM =", "# promptslim: ignore[PS702] -- later\nSYSTEM =")})
    assert [code for code, _ in said(tmp_path)] == ["PS702"], "a comment speaks of its own lines"


def test_the_lock_of_another_folder_is_left_alone(tmp_path: Path) -> None:
    prove(tmp_path / "inner")
    (tmp_path / "inner" / EVIDENCE).unlink()
    assert said(tmp_path) == []


PROBE = """
import sys
before = set(sys.modules)
import promptslim.proof.lock, promptslim.proof.recompute, promptslim.proof.power
print(" ".join(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_a_proof_needs_the_standard_library_only() -> None:
    done = subprocess.run([sys.executable, "-S", "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - set(sys.stdlib_module_names) == {"promptslim"}


def test_checking_a_proof_loads_nothing_heavy(tmp_path: Path) -> None:
    prove(tmp_path)
    code = (
        "import sys; from promptslim.cli.main import main; main(['check', '--select', 'PS7', '--no-cache']);"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PROMPTSLIM_CACHE_DIR": os.environ["PROMPTSLIM_CACHE_DIR"]}

    def run() -> str:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, env=environment
        ).stderr

    run()  # compiles the rule book, which a later start does not do
    loaded = set(run().split())
    assert "promptslim.proof.recompute" in loaded
    assert not loaded & {"boto3", "botocore", "numpy", "yaml", "cryptography", "tokenizers", "libcst", "pydantic"}
    (tmp_path / "promptslim.lock").unlink()
    assert not re.search(r"promptslim\.(proof|pipeline\.proofs)", run())


def test_signatures(tmp_path: Path) -> None:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from promptslim.proof.signature import SignatureError, is_signed, signed

    def pems() -> tuple[bytes, bytes]:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return private, public

    private, public = pems()
    _, stranger = pems()
    entry = signed(prove(tmp_path), private, "release team")
    write(tmp_path, entry)
    assert stored(tmp_path) == entry
    assert is_signed(entry, [stranger, public])
    assert not is_signed(entry, [stranger])
    assert not is_signed(replace(entry, date=TODAY - timedelta(days=1)), [public]), "the date is signed too"
    assert not is_signed(replace(entry, signer="someone else"), [public])
    assert not is_signed(forged(entry, result={**entry.result, "items": 41}), [public])
    assert not is_signed(replace(entry, signature=""), [public])
    assert not is_signed(replace(entry, signature="%"), [public])
    with pytest.raises(SignatureError, match="cannot be read"):
        is_signed(entry, [b"nonsense"])
    (tmp_path / "key.pem").write_bytes(public)
    wanted = {"invalid-proof": {"signing-keys": ["key.pem"]}}
    assert said(tmp_path, rules=wanted) == []
    write(tmp_path, replace(entry, signature="", signer=""))
    assert "no signature of a key that the project trusts" in said(tmp_path, rules=wanted)[0][1]
    assert said(tmp_path) == []
