"""What is read: in both languages, by codes."""

import gettext
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import SimpleTestCase
from django.utils.translation import override
from django.utils.translation.template import templatize

from rma import AmountPart, ExchangeStatus, Invalid, Money, Outcome, ReturnStatus, Violation
from shop.policy import POLICY
from shop.tests.base import ShopTest, words
from shop.words import (
    EXCHANGE_STATUS,
    OUTCOMES,
    REFUSALS,
    RETURN_STATUS,
    amount_text,
    part_text,
    refusal_text,
    refusals,
)

_SHOP = Path(__file__).resolve().parent.parent
_GERMAN = _SHOP / "locale" / "de" / "LC_MESSAGES"
_FUNCTIONS = {"_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2)}


def german() -> Catalog:
    """Returns the German, as it is written."""
    with (_GERMAN / "django.po").open("rb") as file:
        return read_po(file, locale="de")


def strings() -> Iterator[str]:
    """Yields every string that is translated."""
    for path in sorted(_SHOP.rglob("*.py")):
        if "tests" not in path.parts:
            yield from _extracted(path.read_bytes())
    for path in sorted(_SHOP.rglob("templates/**/*.*")):
        yield from _extracted(templatize(path.read_text(encoding="utf-8")).encode())


def _extracted(source: bytes) -> Iterator[str]:
    found: list[Any] = list(extract_python(io.BytesIO(source), _FUNCTIONS, [], {"encoding": "utf-8"}))
    for _line, _function, given, _comments in found:
        if given is not None:  # None is a variable
            yield given if isinstance(given, str) else given[0]


class TranslationTest(SimpleTestCase):
    """The catalog of German."""

    def test_every_string_has_a_translation_with_the_same_placeholders(self) -> None:
        """And the catalog has none that is not used."""
        catalog = {
            (each.id if isinstance(each.id, str) else each.id[0]): each for each in german() if each.id
        }

        assert set(strings()) == set(catalog)
        for each in catalog.values():
            translations = [each.string] if isinstance(each.string, str) else each.string or [""]
            source = each.id if isinstance(each.id, str) else each.id[0]
            for translation in translations:
                assert translation
                assert placeholders(translation) == placeholders(source), source

    def test_the_compiled_catalog_is_that_which_is_written(self) -> None:
        """It is kept beside it, since a fresh clone need not have the tools of gettext."""
        compiled = io.BytesIO()
        write_mo(compiled, german())
        compiled.seek(0)

        with (_GERMAN / "django.mo").open("rb") as file:
            kept = gettext.GNUTranslations(file)
        written = gettext.GNUTranslations(compiled)

        assert {**vars(kept)["_catalog"], "": ""} == {**vars(written)["_catalog"], "": ""}


def placeholders(text: str) -> set[str]:
    """Returns the names that are filled in."""
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


class CodesTest(SimpleTestCase):
    """Words by code."""

    def test_every_status_and_outcome_has_words(self) -> None:
        """Of returns and exchanges."""
        assert set(RETURN_STATUS) == set(ReturnStatus)
        assert set(EXCHANGE_STATUS) == set(ExchangeStatus)
        assert set(OUTCOMES) == set(Outcome)

    def test_every_code_is_one_of_the_library_and_its_numbers_are_there(self) -> None:
        """A name in braces that the code does not have would be empty."""
        from rma.domain.values.errors import codes  # noqa: PLC0415 # for this test only

        known = {row.code: row for row in codes()}
        for code, text in REFUSALS.items():
            names = {each.strip("{}") for each in placeholders(str(text))}
            assert code in known, code
            assert names <= set(known[code].numbers), code

    def test_numbers_are_words_in_the_language_of_the_reader(self) -> None:
        """Days and outcomes too; a code that is not known says nothing but the code."""
        closed = Violation("return_window_closed", "1001-1", {"until": "2026-03-01T12:00:00+00:00"})
        offered = Violation(
            "outcome_not_offered", None, {"outcome": "refund", "offered": "exchange, store_credit"}
        )
        unknown = Violation("never_heard_of", None, {"secret": "hunter2"})

        with override("de"):
            assert refusal_text(closed) == "Das konnte bis 1. März 2026 zurückgesendet werden."
            assert refusal_text(offered).endswith("möglich sind: Umtausch, Guthaben.")
            assert refusal_text(unknown) == "Das ist nicht möglich (never_heard_of)."
            assert amount_text(Money(123456, "eur")) == "1.234,56 EUR"
        with override("en"):
            assert amount_text(Money(123456, "eur")) == "1,234.56 EUR"
            twice = Invalid(closed.code, violations=[closed, closed])
            assert refusals(twice, {"1001-1": "Mug"}) == ["Mug: This could be returned until March 1, 2026."]

    def test_every_part_of_an_amount_has_words(self) -> None:
        """Also one that a later release may add."""
        names = [f"fee:{fee.name}" for rule in POLICY.rules for fee in rule.fees]
        names += [f"bonus:{rule.bonus.name}" for rule in POLICY.rules if rule.bonus]
        names += ["return_shipping", "tax:vat", "discount:voucher", "charge:delivery", "price"]
        with override("en"):
            for name in names:
                assert part_text(AmountPart(name, Money(1, "eur")), {}) != "Other", name
            assert part_text(AmountPart("something_new", Money(1, "eur")), {}) == "Other"


class LanguageTest(ShopTest):
    """The language of the pages."""

    def test_it_is_that_of_the_browser_until_it_is_chosen(self) -> None:
        """All of a page is in one language."""
        path = "/orders/2001/return/"
        page = self.ben.get(path, headers={"Accept-Language": "de"})
        assert '<html lang="de">' in page.content.decode()
        assert "Was bekomme ich?" in words(page)
        assert "Bitte wählen" in words(page)
        assert "54,00 EUR" in words(page)

        self.ben.post("/language/setlang/", {"language": "en", "next": path})

        assert "What do I get?" in words(self.ben.get(path, headers={"Accept-Language": "de"}))

    def test_refusals_and_what_happened_are_translated(self) -> None:
        """The same events, read in German."""
        found = self.returned()

        page = words(self.ada.get(f"/returns/{found.id}/", headers={"Accept-Language": "de"}))

        assert "Sie haben eine Rücksendung angemeldet." in page
        assert "Ihr Etikett ist fertig: Paket SP" in page

    def test_there_are_two(self) -> None:
        """Whatever else the settings say, these are those that are written."""
        assert [code for code, _name in settings.LANGUAGES] == ["en", "de"]
