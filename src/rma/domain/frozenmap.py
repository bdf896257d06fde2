"""A mapping that can not be changed, for metadata and for what the ledger keeps by key."""

import copy
from collections.abc import Mapping
from typing import NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} can not be changed")


class FrozenMap(dict[K, V]):
    """
    A dict without its mutators.

    A real dict, and not `types.MappingProxyType`, because values travel: they are pickled into task
    queues, copied, and written as JSON, none of which a proxy survives.
    """

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override] # dict says None: it can change, this can not
        return hash(frozenset(self))

    def __reduce__(self) -> tuple[type["FrozenMap[K, V]"], tuple[dict[K, V]]]:
        return type(self), (dict(self),)

    def __copy__(self) -> "FrozenMap[K, V]":
        return self

    def with_(self, key: K, value: V) -> "FrozenMap[K, V]":
        """A map that also has this entry."""
        return FrozenMap({**self, key: value})

    def without(self, key: K) -> "FrozenMap[K, V]":
        """A map that does not have this key."""
        return FrozenMap({k: v for k, v in self.items() if k != key})


def frozen_map(mapping: Mapping[K, V]) -> FrozenMap[K, V]:
    """The mapping, copied all the way down, so that later changes to the original do not reach it."""
    if isinstance(mapping, FrozenMap):
        return mapping
    return FrozenMap(copy.deepcopy(dict(mapping)))
