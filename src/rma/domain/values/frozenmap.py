"""Mappings and lists that cannot be changed, for metadata and for what the ledger keeps by key."""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: How deep metadata may nest.
MAX_DEPTH = 32


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} cannot be changed")


class FrozenMap(dict[K, V]):
    """
    A dict without its mutators.

    A real dict, and not `types.MappingProxyType`, because values travel: they are pickled into task
    queues, copied, and written as JSON, none of which a proxy survives.
    """

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override] # dict says None: it can change, this cannot
        return hash(frozenset(self))

    def __reduce__(self) -> tuple[type["FrozenMap[K, V]"], tuple[dict[K, V]]]:
        return type(self), (dict(self),)

    def __copy__(self) -> "FrozenMap[K, V]":
        return self


class FrozenList(list[V]):
    """A list without its mutators, equal to the list it was made of; lists live inside metadata."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __hash__(self) -> int:  # type: ignore[override] # list says None: it can change, this cannot
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type["FrozenList[V]"], tuple[list[V]]]:
        return type(self), (list(self),)

    def __copy__(self) -> "FrozenList[V]":
        return self


def frozen_map(mapping: Mapping[K, V]) -> FrozenMap[K, V]:
    """
    A copy of the mapping, the mappings and lists in it included, that cannot be changed.

    What lies deeper than `MAX_DEPTH` levels, or contains itself, stays as it is: a copy would not end.
    """
    if isinstance(mapping, FrozenMap):
        return mapping
    return FrozenMap({key: _frozen(value, (id(mapping),)) for key, value in mapping.items()})


def _frozen(value: Any, parents: tuple[int, ...]) -> Any:  # metadata may hold anything
    if not isinstance(value, Mapping | list | tuple) or isinstance(value, FrozenMap | FrozenList):
        return value
    if id(value) in parents or len(parents) >= MAX_DEPTH:
        return value
    parents = (*parents, id(value))
    if isinstance(value, Mapping):
        return FrozenMap({key: _frozen(each, parents) for key, each in value.items()})
    return FrozenList([_frozen(each, parents) for each in value])
