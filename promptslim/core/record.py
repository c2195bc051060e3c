"""Frozen, slotted dataclasses whose classes are quick to make.

``@record`` stands for ``@dataclass(frozen=True, slots=True)``. The standard decorator compiles seven functions for
each class (Python 3.11: 0.7 ms), which for the hundred classes of a check takes longer than the check. Here
``__init__`` alone is compiled; the other methods are shared by all classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a dataclass of ``cls``: frozen, with slots; equality, hash, repr, copies and pickles by its fields.

    ``dataclasses.fields``, ``replace`` and ``asdict`` and class patterns work as for any dataclass. There is no
    inheritance of fields, ``order``, ``kw_only``, ``InitVar``, ``ClassVar`` or ``__post_init__``.
    """
    members = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    fields = {name: _field(members.pop(name, MISSING)) for name in cls.__annotations__}
    kind: Any = type(cls)
    made: Any = kind(
        cls.__name__,
        cls.__bases__,
        {
            "__eq__": _equal,
            "__repr__": _show,
            **members,
            "__slots__": tuple(fields),
            "__match_args__": tuple(name for name, item in fields.items() if item.init),
            "__dataclass_fields__": _Fields(cls),
            "__compared__": _values([name for name, item in fields.items() if item.compare]),
            "__shown__": tuple(name for name, item in fields.items() if item.repr),
            "__hash__": _hash,
            "__setattr__": _set,
            "__delattr__": _delete,
            "__getstate__": _state,
            "__setstate__": _restore,
        },
    )
    made.__qualname__ = cls.__qualname__
    made.__init__ = _initialiser(made, fields)
    return made  # type: ignore[no-any-return]


class _Fields:
    """``__dataclass_fields__``, made by the standard library when something asks for it."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Mapping[str, Field[Any]]:
        names = self._cls.__annotations__
        defaults = {name: vars(self._cls)[name] for name in names if name in vars(self._cls)}
        plain = type(owner.__name__, (), {"__annotations__": names, "__module__": owner.__module__, **defaults})
        fields: Mapping[str, Field[Any]] = dataclass(plain).__dataclass_fields__  # type: ignore[attr-defined]
        type.__setattr__(owner, "__dataclass_fields__", fields)
        return fields


def _field(default: Any) -> Field[Any]:  # noqa: ANN401 (a default is of any type)
    made: Any = default if isinstance(default, Field) else field(default=default)
    return made  # type: ignore[no-any-return]


def _values(names: list[str]) -> Any:  # noqa: ANN401 (reads the fields as a tuple, or the only one)
    return staticmethod(attrgetter(*names) if names else lambda _: ())


def _initialiser(made: type, fields: Mapping[str, Field[Any]]) -> Any:  # noqa: ANN401 (its signature is the fields')
    known: dict[str, Any] = {"missing": MISSING}
    parameters = ["self"]
    lines = ["pass"]
    for name, item in fields.items():
        known[f"set_{name}"] = vars(made)[name].__set__
        known[f"default_{name}"] = item.default
        known[f"make_{name}"] = item.default_factory
        value = name if item.init else "missing"
        if item.default_factory is not MISSING:
            value = f"make_{name}() if {value} is missing else {value}"
        elif not item.init:
            value = f"default_{name}"
        if item.init:
            plain = item.default_factory is MISSING
            parameters.append(
                name if plain and item.default is MISSING else f"{name}={f'default_{name}' if plain else 'missing'}"
            )
        lines.append(f"set_{name}(self, {value})")
    body = "\n ".join(lines)
    exec(f"def __init__({', '.join(parameters)}):\n {body}", known)  # noqa: S102 (made of field names alone)
    return known["__init__"]


def _equal(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:  # noqa: ANN401
    return hash(self.__compared__(self))


def _show(self: Any) -> str:  # noqa: ANN401
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__shown__)})"


def _set(self: object, name: str, value: object) -> NoReturn:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: object, name: str) -> NoReturn:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:  # noqa: ANN401
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[object]) -> None:  # noqa: ANN401
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)
