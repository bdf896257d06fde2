"""What decides where a maker leaves something open: chance, hypothesis, or all possibilities in turn."""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Protocol, TypeVar

from attrs import define

from rma.domain.messages.commands import Command
from rma.testing.commands.situation import Situation

T = TypeVar("T")

#: Up to so many numbers in a row are all tried; of more, the lowest and the highest.
MOST_NUMBERS = 4


class Chooser(Protocol):
    """Decides what a maker leaves open."""

    def choose(self, options: Sequence[T]) -> T:
        """One of the options; one that is listed more often is chosen more often."""
        ...

    def whole(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        ...

    def detail(self, options: Sequence[T]) -> T:
        """One of the options, where no rule depends on which: trying everything takes the first."""
        ...


#: Makes a command, or None if there is nothing that it could be about.
Make = Callable[[Chooser, Situation], Command | None]


class RandomChooser:
    """
    Chooses by chance, the same for the same `Random`.

    Args:
        random: where all chance comes from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random

    def choose(self, options: Sequence[T]) -> T:
        """Each entry is equally likely."""
        return self._random.choice(options)

    def whole(self, low: int, high: int) -> int:
        """Each number is equally likely."""
        return self._random.randint(low, high)

    def detail(self, options: Sequence[T]) -> T:
        """Each entry is equally likely."""
        return self._random.choice(options)


@define
class _Branch:
    """A choice that was made among distinct options: their indexes among all, and which of these it was."""

    indexes: list[int]
    chosen: int = 0


class _Path:
    """A chooser that follows a path of earlier choices and takes the first option at each new one."""

    def __init__(self) -> None:
        self._branches: list[_Branch] = []
        self._depth = 0

    def choose(self, options: Sequence[T]) -> T:
        if self._depth == len(self._branches):
            self._branches.append(_Branch(_distinct(options)))
        branch = self._branches[self._depth]
        self._depth += 1
        return options[branch.indexes[branch.chosen]]

    def whole(self, low: int, high: int) -> int:
        return self.choose(range(low, high + 1) if high - low < MOST_NUMBERS else (low, high))

    def detail(self, options: Sequence[T]) -> T:
        return options[0]

    def advance(self) -> bool:
        """Goes on to the next path; False if there is none."""
        self._depth = 0
        while self._branches and self._branches[-1].chosen + 1 == len(self._branches[-1].indexes):
            self._branches.pop()
        if self._branches:
            self._branches[-1].chosen += 1
        return bool(self._branches)


def _distinct(options: Sequence[object]) -> list[int]:
    """The index of the first of each that are equal."""
    found: dict[int, object] = {}
    for index, option in enumerate(options):
        if not any(option is other or option == other for other in found.values()):
            found[index] = option
    return list(found)


def every(make: Make, situation: Situation) -> Iterator[Command]:
    """Every command that the maker makes in this situation, each once, for all choices in turn."""
    path, made = _Path(), set[Command]()
    while True:
        command = make(path, situation)
        if command is not None and command not in made:
            made.add(command)
            yield command
        if not path.advance():
            return
