"""A record is a frozen, slotted dataclass in everything that the project uses of one."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core import record as records
from promptslim.core.record import items, record

ROOT = Path(__file__).resolve().parents[2]


@record
class Mine:
    a: int
    b: str = "x"
    c: tuple[int, ...] = ()
    d: list[int] = records.field(default_factory=list, init=False, repr=False, compare=False)
    e: dict[str, int] = records.field(default_factory=dict, compare=False)

    @property
    def double(self) -> int:
        return self.a * 2


@dataclass(frozen=True, slots=True)
class Theirs:
    a: int
    b: str = "x"
    c: tuple[int, ...] = ()
    d: list[int] = field(default_factory=list, init=False, repr=False, compare=False)
    e: dict[str, int] = field(default_factory=dict, compare=False)


ARGUMENTS = st.tuples(st.integers(0, 2), st.sampled_from(["x", "y"]), st.tuples(st.integers(0, 1)))


@given(ARGUMENTS, ARGUMENTS)
def test_like_a_dataclass(one: tuple[int, str, tuple[int, ...]], other: tuple[int, str, tuple[int, ...]]) -> None:
    mine, theirs = Mine(*one), Theirs(*one)
    assert (mine == Mine(*other)) == (theirs == Theirs(*other))
    assert (hash(mine) == hash(Mine(*other))) or mine != Mine(*other)
    assert repr(mine).replace("Mine", "Theirs") == repr(theirs)
    assert asdict(mine) == asdict(theirs)
    assert mine != theirs
    assert pickle.loads(pickle.dumps(mine)) == mine == copy.deepcopy(mine) == replace(mine)
    assert replace(mine, a=7).a == 7


def test_fields_patterns_and_slots() -> None:
    assert [(f.name, f.init, f.repr, f.compare) for f in fields(Mine)] == [
        (f.name, f.init, f.repr, f.compare) for f in fields(Theirs)
    ]
    assert Mine.__match_args__ == Theirs.__match_args__
    mine = Mine(3, e={"k": 1})
    assert (mine.b, mine.c, mine.d, mine.e, mine.double) == ("x", (), [], {"k": 1}, 6)
    assert Mine(1).d is not Mine(1).d
    assert not hasattr(mine, "__dict__")
    with pytest.raises(FrozenInstanceError):
        mine.a = 4
    with pytest.raises(FrozenInstanceError):
        del mine.a
    with pytest.raises(TypeError):
        Mine()


def test_replace_and_items_are_those_of_the_standard_library() -> None:
    mine = Mine(3, e={"k": 1})
    assert records.replace(mine, b="y") == replace(mine, b="y") == Mine(3, "y", e={"k": 1})
    with pytest.raises(TypeError):
        records.replace(mine, unknown=1)
    assert [item.name for item in items(mine)] == [item.name for item in fields(mine)]
    assert items(Mine) is items(mine)


@record(frozen=False, eq=False)
class Changing:
    a: int
    seen: list[int] = records.field(default_factory=list)
    double: int = records.field(init=False)

    def __post_init__(self) -> None:
        self.double = 2 * self.a


@record(order=True)
class Ordered:
    a: int
    b: int = 0


def test_a_record_that_changes_is_equal_to_itself_alone() -> None:
    one = Changing(2)
    one.a = 3
    assert (one.a, one.double, one.seen) == (3, 4, [])
    assert one != Changing(3)
    assert one in {one}
    assert not hasattr(one, "__dict__")


@given(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_order_is_that_of_the_fields(one: tuple[int, int], other: tuple[int, int]) -> None:
    a, b = Ordered(*one), Ordered(*other)
    assert (a < b, a <= b, a > b, a >= b) == (one < other, one <= other, one > other, one >= other)


def test_making_records_does_not_load_dataclasses() -> None:
    code = (
        "import sys; from promptslim.core.record import record, replace, field\n"
        "@record\nclass A:\n x: int\n y: list = field(default_factory=list)\n"
        "assert replace(A(1), x=2) == A(2)\n"
        "print('dataclasses' in sys.modules, 'inspect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]
