"""The mutants fit the code that they break, and leave no rule of the merchant's policy out."""

from collections import Counter

import pytest
from attrs import fields

from rma import (
    Bonus,
    Calendar,
    Charge,
    Fee,
    Grade,
    ReturnPolicy,
    ReturnRule,
    RuleTerms,
    Terms,
    Window,
    Withdrawal,
)
from tests.mutants import MUTANTS, Mutant, fits

#: The classes whose fields are rules.
RULES = (ReturnPolicy, Terms, ReturnRule, RuleTerms, Window, Calendar, Fee, Grade, Charge, Withdrawal, Bonus)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.harm for mutant in MUTANTS])
def test_a_mutant_fits_the_code(mutant: Mutant) -> None:
    """`python -m tests.mutants --fit` lists those that do not."""
    assert fits(mutant)
    assert mutant.before != mutant.after


def test_every_field_of_a_rule_is_broken_by_a_mutant() -> None:
    """A new field needs a test that notices when it is ignored, and a mutant that proves it."""
    known = {f"{rule.__name__}.{field.name}" for rule in RULES for field in fields(rule)}

    broken = {name for mutant in MUTANTS for name in mutant.fields.split()}

    assert broken == known


def test_each_mutant_has_a_harm_of_its_own() -> None:
    """A harm is named once."""
    assert [harm for harm, times in Counter(mutant.harm for mutant in MUTANTS).items() if times > 1] == []
