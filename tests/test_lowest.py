"""What `pyproject.toml` says about versions can be tested: `tests.lowest` does so."""

from itertools import chain

import pytest
from packaging.requirements import Requirement

from tests.lowest import OF_EXAMPLES, declared, installed, pins

#: The types of Django's next release are not those of the Django that is supported.
FOLLOWS_ANOTHER = {"django-stubs"}
EVERY = [each for each in chain.from_iterable(declared().values()) if not each.name.startswith("types-")]


@pytest.mark.parametrize("requirement", EVERY, ids=str)
def test_a_requirement_has_a_lower_bound_and_no_upper_one(requirement: Requirement) -> None:
    """Stubs alone have none: mypy reads the newest."""
    allowed = {"!=", "<"} if requirement.name in FOLLOWS_ANOTHER else {"!="}
    assert [each.operator for each in requirement.specifier if each.operator not in allowed] == [">="]


def test_a_requirement_of_several_extras_has_one_bound() -> None:
    """What the test command needs is what the extras need."""
    lowest = set(pins(EVERY))

    assert len(lowest) == len({each.name for each in EVERY})


def test_the_lowest_versions_are_pinned() -> None:
    """Names are written as the index writes them, extras are left out, and other limits do not count."""
    requirements = [Requirement(each) for each in ("A_b[c]>=1.2", "d>=3,!=3.1", "types-e")]

    assert list(pins(requirements)) == ["a-b==1.2", "d==3"]


def test_what_examples_need_is_in_no_extra_of_a_host() -> None:
    """It is left out of the environment with the lowest versions, and everything else is in it."""
    extras = declared()
    of_hosts = {each.name for name, found in extras.items() if name != "test" for each in found}
    names = {Requirement(each).name for each in installed(extras)}

    assert not OF_EXAMPLES & of_hosts
    assert {each.name for found in extras.values() for each in found} == OF_EXAMPLES | names
