"""Customers and a clerk use the shop in a browser."""

import re

from tests.shop.browsing import Person, Shop


def ask(someone: Person, number: str, *lines: tuple[int, int, str], **more: str) -> None:
    """Fills the form of a return in: for each line its position, how many, and why."""
    someone.go(f"/orders/{number}/return/")
    for position, quantity, reason in lines:
        someone.field(f"line{position}-quantity").fill(str(quantity))
        someone.field(f"line{position}-reason").select_option(reason)
    for name, value in more.items():
        someone.page.locator(f"[name='{name}'][value='{value}']").check()


def return_id(someone: Person) -> str:
    """Returns the id of the return that is shown."""
    found = re.search(r"/returns/(ret_\w+)/", someone.page.url)
    assert found, someone.text
    return found[1]


def do(clerk: Person, action: str, **filled: str) -> None:
    """Chooses an action on the page of a return, fills its form in, and sends it."""
    clerk.follow(action)
    for name, value in filled.items():
        clerk.field(name).fill(value)
    clerk.press(action)


def look_at(clerk: Person, number: str) -> None:
    """Goes to a return in the back office."""
    clerk.go("/admin/rma/storedreturn/")
    clerk.follow(number)


def test_two_things_are_returned_received_inspected_and_paid(shop: Shop) -> None:
    """The customer sees the quote change as they choose, the label, the slip, and the money."""
    ada, cleo = shop.person("ada"), shop.person("cleo")
    ada.picture("orders")
    ask(ada, "1001", (1, 1, "mind"))
    quote = ada.page.locator("#quote")
    quote.get_by_text("You get 9.00 EUR").wait_for()
    ada.field("line2-quantity").fill("1")
    ada.field("line2-reason").select_option("defect")
    quote.get_by_text("You get 56.90 EUR").wait_for()  # what is our fault makes the way back free
    ada.page.locator("fieldset.line").nth(1).locator("summary").click()
    ada.field("line2-note").fill("A seam is <open>.")
    ada.field("line2-photos").fill("seam.jpg")
    ada.picture("ask")
    ada.press("Send it back")
    number = return_id(ada)
    assert "Your label is ready: parcel SP" in ada.text
    assert "A seam is <open>." in ada.text

    ada.go(f"/returns/{number}/slip/")
    assert ada.page.locator("svg").is_visible()
    ada.picture("slip")

    cleo.go("/")
    cleo.follow("Back office")
    cleo.picture("back-office")
    cleo.follow(number)
    do(cleo, "Receive a parcel")
    cleo.follow("Inspect")
    cleo.field("graded_0_0").fill("1")
    cleo.field("graded_1_1").fill("1")
    cleo.picture("inspect")
    cleo.press("Inspect")
    assert f"{number}-refund-1 56.90 EUR succeeded" in cleo.text
    cleo.picture("back-office-return")

    ada.go(f"/returns/{number}/")
    assert "We paid back 56.90 EUR." in ada.text
    assert ada.page.locator("#amount").inner_text() == "56.90 EUR"
    ada.picture("return")
    mails = [each for each in shop.mails() if "(order 1001, return 1)" in each and "ada@" in each]
    assert sum("We paid back 56.90 EUR." in each for each in mails) == 1


def test_a_doubled_click_makes_one_return(shop: Shop) -> None:
    """With scripts the form is sent once; without, it is sent twice and is one return."""
    for count, has_scripts in enumerate((True, False), start=1):
        ada = shop.person("ada", has_scripts=has_scripts)
        ask(ada, "1006", (1, 1, "mind"))
        # the second click may end the navigation of the first, so that there is nothing to wait for
        ada.page.get_by_role("button", name="Send it back").dblclick(no_wait_after=True)
        ada.page.get_by_role("heading", name=re.compile("Return .* of order 1006")).wait_for()
        ada.page.wait_for_load_state()

        ada.go("/")
        assert ada.page.locator("article", has_text="Order 1006").locator(".returns li").count() == count


def test_a_refund_that_ends_later_is_paid_once_it_is_reported(shop: Shop) -> None:
    """The gateway reports it, late and twice; the customer sees it once, and has one mail."""
    ada, ben, cleo = (shop.person(name) for name in ("ada", "ben", "cleo"))
    ask(ada, "1002", (2, 1, "mind"))
    ada.press("Send it back")
    number = return_id(ada)
    look_at(cleo, number)
    do(cleo, "Receive a parcel")
    do(cleo, "Inspect", graded_0_0="1")

    paid = ada.page.get_by_text("We paid back 11.00 EUR.")
    for _look in range(1000):  # until the gateway has reported it
        ada.go(f"/returns/{number}/")
        if paid.count():
            break

    assert paid.count() == 1
    assert "are on their way to you" in ada.text
    ben.go(f"/returns/{number}/")
    assert "Not found" in ben.text


def test_an_exchange_is_paid_for_and_sent(shop: Shop) -> None:
    """In German, by a customer whose browser asks for it."""
    ben, cleo = shop.person("ben", language="de-DE"), shop.person("cleo")
    ask(ben, "2001", (2, 1, "mind"), outcome="exchange", way="own")
    missing = ben.page.locator("#quote").get_by_text("Wählen Sie, was Sie stattdessen möchten.")
    missing.wait_for()
    ben.field("line2-instead").select_option("mug-white")
    ben.page.locator("#quote").get_by_text("Sie bekommen 2,00 EUR").wait_for()
    ben.picture("exchange")
    ben.press("Zurücksenden")
    number = return_id(ben)

    look_at(cleo, number)
    do(cleo, "Receive a parcel")
    do(cleo, "Inspect", graded_0_0="1")
    ben.go(f"/returns/{number}/")

    assert "Ihre neue Ware ist unterwegs: Paket SP" in ben.text
    assert ben.page.locator("#status").inner_text() == "Ihre neue Ware ist unterwegs"
    assert "Wir haben 2,00 EUR erstattet." in ben.text


def test_what_the_rules_refuse_is_refused_with_its_reason(shop: Shop) -> None:
    """The quote says so at once; the form, too, and keeps what was filled in."""
    ada = shop.person("ada")
    ask(ada, "1003", (1, 1, "mind"))
    ada.page.locator("#quote [role=alert]").wait_for()
    ada.press("Send it back")

    assert "This could be returned until" in ada.text
    assert ada.field("line1-quantity").input_value() == "1"
    ada.picture("refused")
    ada.go("/")
    assert not ada.page.locator("article", has_text="Order 1003").locator(".returns").count()


def test_all_of_it_works_without_scripts(shop: Shop) -> None:
    """The quote is asked for with a button; what waits for an approval is declined."""
    ada, cleo = shop.person("ada", has_scripts=False), shop.person("cleo", has_scripts=False)
    ask(ada, "1001", (3, 1, "mind"))
    ada.press("What do I get?")
    assert "Handling fee" in ada.text
    assert "we look at it first" in ada.text
    ada.press("Send it back")
    number = return_id(ada)
    assert "We look at it before we print the label." in ada.text

    look_at(cleo, number)
    do(cleo, "Decline", reason="unclear", note="The photos are missing.")
    ada.go(f"/returns/{number}/")

    assert ada.page.locator("#status").inner_text() == "Declined"
    assert "The photos are missing." in ada.text
