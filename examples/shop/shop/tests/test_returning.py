"""A customer returns things."""

from django.test import Client
from django.utils import timezone

from rma import Money
from shop.credit import balance
from shop.models import Order, Parcel, SentForm, StockMovement
from shop.returns import get_service
from shop.tests.base import A_MUG, ShopTest, words

_PATH = "/orders/1001/return/"


def eur(cents: int) -> Money:
    """Returns an amount of euro cents."""
    return Money(cents, "eur")


class OrdersTest(ShopTest):
    """The first page."""

    def test_customers_see_their_own_orders_only(self) -> None:
        """With what they bought, and where their returns are."""
        self.returned()

        page = words(self.ada.get("/"))

        assert "Order 1001" in page
        assert "2 x White mug, 12.90 EUR" in page
        assert "Return 1 : We expect your parcel" in page
        assert "2001" not in page

    def test_without_a_login_there_is_a_login_only(self) -> None:
        """Every page of the customer asks for it."""
        found = self.returned()
        stranger = Client()

        for path in (
            "/",
            _PATH,
            f"/returns/{found.id}/",
            f"/returns/{found.id}/slip/",
        ):
            answer = stranger.get(path)
            assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")

    def test_what_was_not_delivered_or_was_canceled_is_not_returned(self) -> None:
        """The form says so, and a request is refused."""
        Order.objects.filter(pk="1001").update(delivered_at=None)
        Order.objects.filter(pk="1002").update(is_canceled=True)

        assert "It is on its way to you." in words(self.ada.get("/"))
        assert "It was not delivered yet." in words(self.ada.get(_PATH))
        assert "This order was canceled." in words(self.ada.get("/orders/1002/return/"))
        answer = self.post(self.ada, "/orders/1002/return/", {**A_MUG, "line1-reason": "defect"})

        assert answer.status_code == 409
        assert "This order was canceled." in words(answer)


class AskingTest(ShopTest):
    """The form, and its quote."""

    def test_a_quote_says_what_each_part_is_and_what_is_possible(self) -> None:
        """And makes nothing."""
        form = {**A_MUG, "line2-quantity": "1", "line2-reason": "size", "action": "quote"}

        page = words(self.post(self.ada, _PATH, form))

        assert "You get 53.00 EUR" in page  # 12.90 + 49.00 - 5.00 - 3.90
        assert "Way back" in page
        assert "-3.90 EUR" in page
        assert "Money back : until" in page
        assert get_service().list("1001") == ()
        assert not SentForm.objects.exists()

    def test_the_rules_change_with_the_reason(self) -> None:
        """What is the shop's fault travels free; dear things are looked at first, for a fee."""
        lamp = {"line1-quantity": "", "line3-quantity": "1", "action": "quote"}

        defective = words(self.post(self.ada, _PATH, {**A_MUG, **lamp, "line3-reason": "defect"}))
        unwanted = words(self.post(self.ada, _PATH, {**A_MUG, **lamp, "line3-reason": "mind"}))

        assert "we pay the way back" in defective
        assert "Handling fee" not in defective
        assert "less a fee, 12.45 EUR for one, we look at it first" in unwanted
        assert "Store credit : until" in unwanted
        assert "10 % on top" in unwanted
        assert "10 % on top" not in defective
        assert "Handling fee" in unwanted

    def test_store_credit_has_a_bonus(self) -> None:
        """It is on top of what the customer gets."""
        page = words(self.post(self.ada, _PATH, {**A_MUG, "outcome": "store_credit", "action": "quote"}))

        assert "You get 9.00 EUR" in page
        assert "And 0.90 EUR on top" in page

    def test_an_exchange_shows_the_difference(self) -> None:
        """A blue mug is dearer than a white one."""
        swap = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue", "action": "quote"}

        assert "You pay 0.71 EUR" in words(self.post(self.ada, _PATH, {**A_MUG, **swap}))

    def test_a_fragment_says_what_is_missing(self) -> None:
        """With the line that it is about; the whole page says it beside the field."""
        form = {**A_MUG, "outcome": "exchange", "action": "quote"}
        swap = self.post(self.ada, _PATH, form, headers={"X-Fragment": "quote"})
        whole = self.post(self.ada, _PATH, form)
        empty = self.post(self.ada, _PATH, {**form, "way": ""}, headers={"X-Fragment": "quote"})

        assert "White mug: Choose what you would like instead." in words(swap)
        assert words(whole).count("Choose what you would like instead.") == 1
        assert "How does it come back? This field is required." in words(empty)

    def test_what_has_nothing_of_its_kind_is_not_exchanged(self) -> None:
        """The form asks for nothing instead of it, and says so."""
        lamp = {"line1-quantity": "", "line3-quantity": "1", "line3-reason": "mind"}
        form = {**A_MUG, **lamp, "outcome": "exchange"}

        asked = self.post(self.ada, _PATH, form)
        possible = words(self.post(self.ada, _PATH, {**form, "outcome": "refund", "action": "quote"}))

        assert asked.status_code == 400
        assert "There is nothing that it could be exchanged for." in words(asked)
        assert "Exchange : no. There is nothing that it could be exchanged for." in possible
        assert 'name="line1-instead"' in asked.content.decode()
        assert 'name="line3-instead"' not in asked.content.decode()

    def test_what_is_asked_for_instead_is_seen_without_a_click(self) -> None:
        """It is not inside what is folded up."""
        page = self.ada.get(_PATH).content.decode()

        assert page.index('name="line1-instead"') < page.index("<details")

    def test_what_can_be_returned_for_some_reasons_is_not_said_to_be_impossible(self) -> None:
        """Its window is over for those who changed their mind, but it may be defective."""
        page = self.ada.get("/orders/1003/return/")
        defect = {**A_MUG, "line1-reason": "defect", "action": "quote"}
        quote = self.post(self.ada, "/orders/1003/return/", defect)

        assert "Whether it can be returned depends on the reason." in words(page)
        assert 'max="1"' in page.content.decode()
        assert "You get 53.90 EUR" in words(quote)

    def test_what_is_in_a_return_is_said_to_be(self) -> None:
        """Nothing of it is left; afterwards it was returned."""
        form = {"line1-quantity": "", "line2-quantity": "1", "line2-reason": "mind"}
        found = self.returned(form, "1002")

        page = self.ada.get("/orders/1002/return/")
        again = self.post(self.ada, "/orders/1002/return/", {**A_MUG, **form, "key": "1" * 32})
        found = self.done(found, "receive", {"received_0": "1"})
        self.done(found, "inspect", {"graded_0_0": "1"})

        assert "You are returning it already." in words(page)
        assert 'max="0"' in page.content.decode()
        assert "Blue mug: None of it is left to return." in words(again)
        assert "It was returned already." in words(self.ada.get("/orders/1002/return/"))

    def test_a_fragment_is_the_quote_alone(self) -> None:
        """That is what the script asks for."""
        answer = self.post(self.ada, _PATH, {**A_MUG, "action": "quote"}, headers={"X-Fragment": "quote"})

        assert answer.status_code == 200
        assert b"<html" not in answer.content
        assert "You get 9.00 EUR" in words(answer)

    def test_the_return_is_made_with_its_form_in_one_transaction_and_its_label_after_it(self) -> None:
        """The customer sees the label, the slip and where it is."""
        found = self.returned(
            {"line1-note": "Too small", "line1-photos": "mug.jpg\r\nhttps://pictures.example/1"}
        )

        assert SentForm.objects.get().subject_id == found.id
        assert Parcel.objects.get().key == f"{found.id}-shipment-1"
        assert found.items[0].images == ("mug.jpg", "https://pictures.example/1")
        assert found.created_by == "customer ada"
        page = self.ada.get(f"/returns/{found.id}/")
        assert "Your label is ready" in words(page)
        assert "Please send it by" in words(page)
        assert 'href="https://pictures.example/1" rel="noopener noreferrer nofollow"' in page.content.decode()
        slip = self.ada.get(f"/returns/{found.id}/slip/").content.decode()
        assert found.id in slip
        assert "<svg" in slip

    def test_everything_that_is_refused_is_said_at_once(self) -> None:
        """By its code, with the line; nothing was made."""
        answer = self.post(
            self.ada,
            "/orders/1002/return/",
            {**A_MUG, "line2-quantity": "3", "line2-reason": "mind"},
        )

        assert answer.status_code == 400
        assert "Scarf, from the sale: For this reason it cannot be returned." in words(answer)
        assert "Blue mug: You chose 3, but can return 1." in words(answer)
        assert get_service().list("1002") == ()

    def test_the_day_on_which_a_window_closed_is_said(self) -> None:
        """As the reader writes days."""
        answer = self.post(self.ada, "/orders/1003/return/", A_MUG)

        assert answer.status_code == 400
        assert "This could be returned until" in words(answer)
        assert str(timezone.now().year) in words(answer)


class AfterwardsTest(ShopTest):
    """What customers do about a return that was made."""

    def test_it_is_canceled_and_canceled_once(self) -> None:
        """Its label, too."""
        found = self.returned()

        for _time in range(2):
            assert self.post(self.ada, f"/returns/{found.id}/cancel/", {}).status_code == 302

        page = self.ada.get(f"/returns/{found.id}/")
        assert get_service().get(found.id).status == "canceled"
        assert "Money back" not in words(page)
        assert 'id="amount"' not in page.content.decode()
        assert Parcel.objects.get().is_canceled
        assert self.ada.get(f"/returns/{found.id}/slip/").status_code == 404

    def test_what_has_arrived_is_not_canceled(self) -> None:
        """The customer reads why."""
        found = self.done(self.returned(), "receive", {"received_0": "1"})

        answer = self.post(self.ada, f"/returns/{found.id}/cancel/", {}, follow=True)

        assert "The goods are here, and are being looked at." in words(answer)
        assert get_service().get(found.id).status == "in_inspection"

    def test_that_it_was_sent_is_noted_once(self) -> None:
        """The button may be clicked twice."""
        found = self.returned()

        for _time in range(2):
            self.post(self.ada, f"/returns/{found.id}/sent/", {})
        page = self.ada.get(f"/returns/{found.id}/")

        assert words(page).count("You sent your parcel") == 1
        assert "Please send it by" not in words(page)
        assert "I have changed my mind and keep it" not in words(page)

    def test_who_sends_it_without_our_label_prints_the_slip_only(self) -> None:
        """There is no label."""
        own = words(self.ada.get(f"/returns/{self.returned({'way': 'own'}).id}/"))
        ours = words(self.ada.get(f"/returns/{self.returned({'key': '1' * 32}).id}/"))

        assert "Print the slip" in own
        assert "label" not in own
        assert "Print the label and the slip" in ours

    def test_the_amount_of_an_exchange_is_shown(self) -> None:
        """What the customer pays, or gets, and the bonus by its name."""
        swap = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue"}
        pays = words(self.ada.get(f"/returns/{self.returned(swap).id}/"))
        shirt = {"line1-quantity": "1", "line1-reason": "mind", "line1-instead": "shirt-m"}
        answer = self.post(self.ben, "/orders/2001/return/", {**A_MUG, **swap, **shirt})
        gets = words(self.ben.get(answer["Location"]))

        assert "Exchange: You pay 0.71 EUR" in pays
        assert "Our thanks" in pays
        assert "Other" not in pays
        assert "Exchange: You get 5.00 EUR" in gets

    def test_a_canceled_exchange_is_canceled_once(self) -> None:
        """In its head, and in what happened."""
        swap = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue"}
        found = self.returned(swap)
        self.post(self.ada, f"/returns/{found.id}/cancel/", {})

        page = self.ada.get(f"/returns/{found.id}/")

        assert '<b id="status">Canceled</b></p>' in page.content.decode()
        assert words(page).count("Your return was canceled.") == 1
        assert words(page).count("Your exchange was canceled.") == 1

    def test_an_exchange_is_paid_once_and_then_sent(self) -> None:
        """Whatever is clicked, the gateway takes the difference once."""
        swap = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue"}
        answer = self.post(self.ada, _PATH, {**A_MUG, **swap})
        path = answer["Location"]
        assert "Pay 0.71 EUR" in words(self.ada.get(path))

        for _time in range(2):
            self.post(self.ada, f"{path}pay/", {})
        found = self.done(get_service().get(path.split("/")[2]), "receive", {"received_0": "1"})
        found = self.done(found, "inspect", {"graded_0_0": "1"})

        assert [(each.kind, each.amount) for each in self.refunds()] == [("charge", 71)]
        assert found.exchange_id is not None
        assert get_service().get_exchange(found.exchange_id).status == "completed"
        assert "Your new goods are on their way: parcel" in words(self.ada.get(path))
        assert [each.contents for each in Parcel.objects.all()] == [[{"item": "mug-blue", "quantity": 1}]]

    def test_store_credit_is_given_with_its_bonus(self) -> None:
        """Once it was inspected."""
        found = self.returned({"outcome": "store_credit", "way": "own"})
        assert "And 1.29 EUR on top, with our thanks." in words(self.ada.get(f"/returns/{found.id}/"))
        found = self.done(found, "receive", {"received_0": "1"})
        self.done(found, "inspect", {"graded_0_0": "1"})

        customer = Order.objects.get(pk="1001").customer_id
        assert balance(customer) == eur(1290 + 129)
        assert "You have 14.19 EUR store credit." in words(self.ada.get("/"))
        page = words(self.ada.get(f"/returns/{found.id}/"))
        assert "You have 14.19 EUR more store credit." in page
        assert "And 1.29 EUR on top, with our thanks." in page
        assert [(each.quantity, each.place) for each in StockMovement.objects.all()] == [(1, "stock")]
