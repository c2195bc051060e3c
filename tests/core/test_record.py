"""A record is a frozen, slotted dataclass in everything that the project uses of one."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.record import record


@record
class Mine:
    a: int
    b: str = "x"
    c: tuple[int, ...] = ()
    d: list[int] = field(default_factory=list, init=False, repr=False, compare=False)
    e: dict[str, int] = field(default_factory=dict, compare=False)

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
