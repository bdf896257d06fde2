"""
Compares values with their classes: a string equals the enumeration member of its value, and True equals 1.
"""

from collections.abc import Iterator

from attrs import fields, has


def differences(left: object, right: object, where: str = "it") -> Iterator[str]:
    """
    Yields where two values differ, in a value or in its class, to the last field; keys may be in any order.
    """
    if type(left) is not type(right):
        yield f"{where}: {left!r} is {type(left).__name__}, {right!r} is {type(right).__name__}"
    elif has(kind := type(left)):
        for each in fields(kind):
            yield from differences(
                getattr(left, each.name), getattr(right, each.name), f"{where}.{each.name}"
            )
    elif isinstance(left, dict) and isinstance(right, dict):
        yield from differences(frozenset(left), frozenset(right), f"{where}'s keys")
        for key in left.keys() & right.keys():
            yield from differences(left[key], right[key], f"{where}[{key!r}]")
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        yield from differences(len(left), len(right), f"len({where})")
        for index, (mine, other) in enumerate(zip(left, right, strict=False)):
            yield from differences(mine, other, f"{where}[{index}]")
    elif left != right:
        yield f"{where}: {left!r} is not {right!r}"


def assert_alike(left: object, right: object) -> None:
    """Asserts that both values are the same, to the class of the last field."""
    found = list(differences(left, right))
    assert not found, found[:3]
    assert left == right
