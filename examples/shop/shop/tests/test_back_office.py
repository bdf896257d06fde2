"""A clerk decides, receives, inspects, and pays again what was declined, in the admin of the library."""

from django.core import mail
from django.urls import reverse

from rma import CancelExchange, Money
from shop.models import Parcel, StockMovement
from shop.returns import get_service
from shop.tests.base import A_MUG, ShopTest, back_office, filled, words
from shop.timeline import news_of

_LAMP = {"line1-quantity": "", "line3-quantity": "1", "line3-reason": "mind"}
_LIST = reverse("admin:rma_storedreturn_changelist")


class ClerkTest(ShopTest):
    """What becomes of it in the shop."""

    def test_it_is_for_clerks(self) -> None:
        """Customers are sent to its login, whatever they ask for."""
        found = self.returned()

        for path in (_LIST, back_office(found, "receive")):
            for answer in (self.ada.get(path), self.post(self.ada, path, {"key": "1"})):
                assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")
        assert get_service().get(found.id).status == "requested"
        assert found.id in words(self.cleo.get(_LIST))

    def test_a_form_that_is_sent_again_is_done_once(self) -> None:
        """By its key."""
        found = self.returned()
        path = back_office(found, "receive")
        form = {name: str(value) for name, value in filled(self.cleo.get(path)).items()}

        for _time in range(2):
            assert self.post(self.cleo, path, form).status_code == 302

        assert len(get_service().get(found.id).receipts) == 1

    def test_what_arrives_is_inspected_and_paid(self) -> None:
        """By grade: the customer and the gateway see the same amount, and stock has what can be sold."""
        found = self.done(self.returned({"line1-quantity": "2"}), "receive")
        assert found.status == "in_inspection"
        assert not self.refunds()

        found = self.done(found, "inspect", {"graded_0_0": "1", "graded_0_1": "1", "note_0": "a scratch"})

        assert found.status == "received"
        amount = 2580 - 387 - 390  # less 30 % of a mug, and the way back
        assert found.refunded == Money(amount, "eur")
        assert [(each.payment, each.amount) for each in self.refunds()] == [("card_1001", amount)]
        assert {(each.place, each.quantity) for each in StockMovement.objects.all()} == {
            ("stock", 1),
            ("refurbish", 1),
        }
        page = words(self.ada.get(f"/returns/{found.id}/"))
        assert "-0.62 EUR -3.87 EUR" in page
        assert "We paid back 18.03 EUR." in page

    def test_a_return_waits_for_its_approval(self) -> None:
        """Its label is printed then; the note reaches the customer."""
        found = self.returned(_LAMP)
        assert (found.status, Parcel.objects.count()) == ("pending_approval", 0)
        assert self.ada.get(f"/returns/{found.id}/slip/").status_code == 404

        found = self.done(found, "approve", {"note": "Pack it well, please."})

        assert (found.status, Parcel.objects.count()) == ("requested", 1)
        assert "Pack it well, please." in words(self.ada.get(f"/returns/{found.id}/"))
        assert any("Pack it well, please." in each.body for each in mail.outbox)

    def test_a_return_is_declined_with_a_note(self) -> None:
        """The customer reads the note; the reason is the shop's."""
        found = self.done(self.returned(_LAMP), "decline", {"reason": "worn_out", "note": "It was used."})

        page = words(self.ada.get(f"/returns/{found.id}/"))
        assert found.status == "declined"
        assert "It was used." in page
        assert "worn_out" not in page

    def test_what_the_gateway_declined_is_paid_again(self) -> None:
        """Under another key; the customer reads nothing of the gateway's codes."""
        found = self.done(self.returned(number="1004"), "receive")
        with self.assertLogs("rma", "WARNING"):
            found = self.done(found, "inspect", {"graded_0_0": "1"})
        assert [each.status for each in found.refunds] == ["failed"]
        page = words(self.ada.get(f"/returns/{found.id}/"))
        assert "Your bank did not take 9.00 EUR; we will find another way." in page
        assert "card_closed" not in page
        assert "We have yet to pay you 9.00 EUR" in page
        assert "Completed" not in page
        assert "We have yet to pay you 9.00 EUR" in words(self.ada.get("/"))

        with self.assertLogs("rma", "WARNING"):
            found = self.done(found, "retry")

        assert [each.key for each in self.refunds()] == [f"{found.id}-refund-1", f"{found.id}-refund-2"]

    def test_goods_of_grade_c_go_back(self) -> None:
        """Nothing is paid for them."""
        found = self.done(self.done(self.returned(), "receive"), "inspect", {"graded_0_2": "1"})

        assert found.refunded == Money(0, "eur")
        assert [each.key for each in Parcel.objects.order_by("key")] == [
            f"{found.id}-sendback-1",
            f"{found.id}-shipment-1",
        ]
        assert "1 x White mug goes back to you." in words(self.ada.get(f"/returns/{found.id}/"))
        assert any("1 x White mug goes back to you." in each.body for each in mail.outbox)

    def test_an_exchange_waits_for_its_payment(self) -> None:
        """Its goods were worth less than was quoted; that is not completed, whatever the quote was."""
        for number, wanted in (("1004", "mug-blue"), ("1005", "mug-white")):
            swap = {"outcome": "exchange", "way": "own", "line1-instead": wanted}
            found = self.done(
                self.done(self.returned(swap, number), "receive"), "inspect", {"graded_0_1": "1"}
            )

            for path in ("/", f"/returns/{found.id}/"):
                page = words(self.ada.get(path))
                assert "Waits for your payment" in page
                assert "Completed" not in page
                assert "We are looking into it" not in page

    def test_an_exchange_that_is_canceled_when_its_goods_are_here_is_refunded(self) -> None:
        """It is completed then, as any return is."""
        swap = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue"}
        found = self.done(self.done(self.returned(swap), "receive"), "inspect", {"graded_0_0": "1"})
        assert found.exchange_id is not None
        with self.captureOnCommitCallbacks(execute=True):
            get_service().handle(CancelExchange(exchange_id=found.exchange_id, created_by="cleo"))

        page = self.ada.get(f"/returns/{found.id}/")

        assert '<b id="status">Completed</b>' in page.content.decode()
        assert "We paid back 12.90 EUR." in words(page)


class MailTest(ShopTest):
    """What customers are notified of."""

    def test_each_event_has_one_mail(self) -> None:
        """Sent again, nothing is sent: the request is answered, and its events were published."""
        found = self.returned()
        self.post(self.ada, "/orders/1001/return/", A_MUG)
        get_service().resume(found.id)

        assert [each.subject for each in mail.outbox] == [
            "We have your return (order 1001, return 1)",
            "News about your return (order 1001, return 1)",
        ]
        assert "This is about return 1 of your order 1001." in mail.outbox[0].body
        assert mail.outbox[0].to == ["ada@customers.example"]
        assert "You asked for a return." in mail.outbox[0].body
        assert len({each.extra_headers["Message-ID"] for each in mail.outbox}) == 2

    def test_a_publisher_that_is_given_an_event_again_sends_no_other_mail(self) -> None:
        """As after a process that died before it noted that it had published."""
        self.returned()
        service = get_service()
        assert service.events is not None

        for event in service.history("1001"):
            service.events.publish(event.event_id, event)

        assert len(mail.outbox) == 2

    def test_what_is_read_on_the_page_of_a_return_is_mailed(self) -> None:
        """Of exchanges, one of them sent, paid and completed, the other canceled: each event once."""
        swap = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue"}
        found = self.returned(swap)
        for action in ("sent", "pay"):
            self.post(self.ada, f"/returns/{found.id}/{action}/", {})
        self.done(self.done(found, "receive"), "inspect", {"graded_0_0": "1"})
        other = self.returned({**swap, "key": "1" * 32})
        self.post(self.ada, f"/returns/{other.id}/cancel/", {})

        read = [each for each in get_service().history("1001") if news_of(each, {}) is not None]

        assert [each.subject for each in mail.outbox] == [
            "We have your return (order 1001, return 1)",
            "You will get something else (order 1001, return 1)",
            "You sent your parcel (order 1001, return 1)",
            "We have your payment (order 1001, return 1)",
            "Your parcel has arrived (order 1001, return 1)",
            "We have looked at your goods (order 1001, return 1)",
            "News about your return (order 1001, return 1)",
            "We have your return (order 1001, return 2)",
            "You will get something else (order 1001, return 2)",
            "Your return is canceled (order 1001, return 2)",
            "Your exchange is canceled (order 1001, return 2)",
        ]
        assert len(mail.outbox) == len(read)

    def test_mails_are_in_the_language_of_the_order(self) -> None:
        """Whatever the language of the browser or of the process."""
        form = {**A_MUG, "line1-reason": "size", "line1-note": "<b>zu groß</b>"}
        self.post(self.ben, "/orders/2001/return/", form, headers={"Accept-Language": "en"})

        assert mail.outbox[0].subject == "Wir haben Ihre Rücksendung notiert (Bestellung 2001, Rücksendung 1)"
        assert "Guten Tag ben," in mail.outbox[0].body
