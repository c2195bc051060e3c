"""Frozen, slotted dataclasses whose classes are quick to make.

``@record`` stands for ``@dataclass(frozen=True, slots=True)``. The standard decorator compiles seven functions for
each class (Python 3.11: 0.7 ms), which for the hundred classes of a check takes longer than the check. Here
``__init__`` alone is compiled, when the first object of a class is made; the other methods are shared by all classes.
``dataclasses`` is not loaded either (with ``inspect``, which it needs, 5 ms) before something asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform, overload

__all__ = ["Item", "field", "items", "record", "replace"]

T = TypeVar("T")

_MISSING: Any = type("_Missing", (), {"__repr__": lambda _: "MISSING"})()


class Item:
    """What is said of one field of a record; the names are those of ``dataclasses.Field``."""

    __slots__ = ("compare", "default", "default_factory", "init", "metadata", "name", "repr")

    def __init__(self, given: Mapping[str, Any]) -> None:
        """``given``: the keyword arguments of ``field``."""
        self.name = ""
        self.default: Any = given.get("default", _MISSING)
        self.default_factory: Any = given.get("default_factory", _MISSING)
        self.init: bool = given.get("init", True)
        self.repr: bool = given.get("repr", True)
        self.compare: bool = given.get("compare", True)
        self.metadata: Mapping[str, Any] = given.get("metadata", {})


if TYPE_CHECKING:
    from dataclasses import field as field
    from dataclasses import replace as replace
else:

    def field(**given: object) -> Item:
        """As ``dataclasses.field``; it takes default, default_factory, init, repr, compare and metadata."""
        return Item(given)

    def replace(one: T, /, **changes: object) -> T:
        """As ``dataclasses.replace``, for records."""
        for item in one.__record__:
            if item.init and item.name not in changes:
                changes[item.name] = getattr(one, item.name)
        return one.__class__(**changes)


def items(cls: object) -> tuple[Item, ...]:
    """What is said of the fields of a record (an object or its class), in their order."""
    found: tuple[Item, ...] = cls.__record__  # type: ignore[attr-defined]
    return found


@overload
def record(cls: type[T], /) -> type[T]: ...


@overload
def record(*, frozen: bool = True, eq: bool = True, order: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[T] | None = None, /, *, frozen: bool = True, eq: bool = True, order: bool = False
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a dataclass of ``cls``: frozen, with slots; equality, hash, repr, copies and pickles by its fields.

    ``dataclasses.fields``, ``replace`` and ``asdict`` and class patterns work as for any dataclass. There is no
    inheritance of fields, ``kw_only``, ``InitVar`` or ``ClassVar``. ``frozen`` False: the fields can be set, and
    there is no hash unless ``eq`` is False too: then objects are equal to themselves alone. ``order`` as in
    ``dataclass``.
    """
    if cls is None:
        return lambda cls: _made(cls, frozen, eq, order)
    return _made(cls, frozen, eq, order)


def _made(cls: type[T], frozen: bool, eq: bool, order: bool) -> type[T]:
    members = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    fields = tuple(_item(name, members.pop(name, _MISSING)) for name in getattr(cls, "__annotations__", ()))
    methods: dict[str, Any] = {"__repr__": _show, "__getstate__": _state, "__setstate__": _restore}
    if eq:
        methods |= {"__eq__": _equal, "__hash__": _hash if frozen else None}
    if order:
        methods |= {"__lt__": _less, "__le__": _at_most, "__gt__": _more, "__ge__": _at_least}
    if frozen:
        methods |= {"__setattr__": _set, "__delattr__": _delete}
    kind: Any = type(cls)
    made: Any = kind(
        cls.__name__,
        cls.__bases__,
        {
            **methods,
            **members,
            "__slots__": tuple(item.name for item in fields),
            "__match_args__": tuple(item.name for item in fields if item.init),
            "__dataclass_fields__": _Fields(cls),
            "__record__": fields,
            "__compared__": _values([item.name for item in fields if item.compare]),
        },
    )
    made.__qualname__ = cls.__qualname__
    made.__init__ = _first_initialiser(made, fields)
    return made  # type: ignore[no-any-return]


class _Fields:
    """``__dataclass_fields__``, made by the standard library when something asks for it."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Mapping[str, Any]:
        import dataclasses

        given = {}
        for item in items(owner):
            said = {name: getattr(item, name) for name in Item.__slots__ if name != "name"}
            made: Any = dataclasses.field
            given[item.name] = made(**{name: value for name, value in said.items() if value is not _MISSING})
        names = self._cls.__annotations__
        plain = type(owner.__name__, (), {"__annotations__": names, "__module__": owner.__module__, **given})
        fields: Mapping[str, Any] = dataclasses.dataclass(plain).__dataclass_fields__  # type: ignore[attr-defined]
        type.__setattr__(owner, "__dataclass_fields__", fields)
        return fields


def _item(name: str, default: Any) -> Item:  # noqa: ANN401 (a default is of any type)
    made = default if isinstance(default, Item) else Item({"default": default})
    made.name = name
    return made


def _values(names: list[str]) -> Any:  # noqa: ANN401 (reads the fields as a tuple, or the only one)
    return staticmethod(attrgetter(*names) if names else lambda _: ())


def _first_initialiser(made: Any, fields: tuple[Item, ...]) -> Callable[..., None]:  # noqa: ANN401
    """An ``__init__`` that puts the real one in its place: a run makes objects of few of the classes it loads."""

    def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: ANN401, N807
        real = made.__init__ = _initialiser(made, fields)
        real(self, *values, **named)

    return __init__


def _initialiser(made: Any, fields: tuple[Item, ...]) -> Any:  # noqa: ANN401 (its signature is the fields')
    known: dict[str, Any] = {"missing": _MISSING}
    parameters = ["self"]
    lines = ["pass"]
    for item in fields:
        name, plain = item.name, item.default_factory is _MISSING
        known[f"set_{name}"] = vars(made)[name].__set__
        known[f"default_{name}"] = item.default
        known[f"make_{name}"] = item.default_factory
        value = name if item.init else "missing"
        if not plain:
            value = f"make_{name}() if {value} is missing else {value}"
        elif not item.init:
            value = f"default_{name}"
        if item.init:
            required = plain and item.default is _MISSING
            parameters.append(name if required else f"{name}={f'default_{name}' if plain else 'missing'}")
        if item.init or not plain or item.default is not _MISSING:
            lines.append(f"set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "\n ".join(lines)
    exec(f"def __init__({', '.join(parameters)}):\n {body}", known)  # noqa: S102 (made of field names alone)
    return known["__init__"]


def _equal(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _less(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) < self.__compared__(other)


def _at_most(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) <= self.__compared__(other)


def _more(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) > self.__compared__(other)


def _at_least(self: Any, other: Any) -> Any:  # noqa: ANN401
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) >= self.__compared__(other)


def _hash(self: Any) -> int:  # noqa: ANN401
    return hash(self.__compared__(self))


def _show(self: Any) -> str:  # noqa: ANN401
    shown = (f"{item.name}={getattr(self, item.name)!r}" for item in self.__record__ if item.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _set(self: object, name: str, value: object) -> NoReturn:  # noqa: ARG001
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: object, name: str) -> NoReturn:  # noqa: ARG001
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:  # noqa: ANN401
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[object]) -> None:  # noqa: ANN401
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)
