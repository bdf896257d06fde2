"""A clerk decides, receives, inspects, and pays again what was declined."""

from django.core import mail

from rma import Money
from shop.models import Parcel, StockMovement
from shop.returns import get_service
from shop.tests.base import A_MUG, ShopTest, words

_LAMP = {"line1-quantity": "", "line3-quantity": "1", "line3-reason": "mind"}


class ClerkTest(ShopTest):
    """The back office."""

    def test_it_is_for_clerks(self) -> None:
        """Customers are refused, whatever they ask for."""
        found = self.returned()

        for path in ("/clerk/", f"/clerk/{found.id}/"):
            answer = self.ada.get(path)
            assert answer.status_code == 403
            assert found.id not in answer.content.decode()
        form = {"key": "1" * 32, "good0": "1", "confirmed": "yes"}
        assert self.post(self.ada, f"/clerk/{found.id}/receive/", form).status_code == 403
        assert get_service().get(found.id).status == "requested"

    def test_returns_are_found_by_their_status(self) -> None:
        """And those that need a person."""
        plain, dear = self.returned(), self.returned({**_LAMP, "key": "1" * 32})

        for query, expected in {
            "": [plain, dear],
            "?status=requested": [plain],
            "?status=attention": [dear],
            "?status=nothing": [plain, dear],
            "?status=expired": [],
        }.items():
            page = words(self.cleo.get(f"/clerk/{query}"))
            assert [each for each in (plain, dear) if each.id in page] == expected
        assert self.cleo.get("/clerk/?after=ret_nothing").status_code == 404
        assert self.cleo.get("/clerk/ret_nothing/").status_code == 404
        assert self.post(self.cleo, f"/clerk/{plain.id}/burn/", {}).status_code == 404

    def test_an_action_is_confirmed_first(self) -> None:
        """The page says what will be done; nothing is done before that."""
        found = self.returned()

        answer = self.post(self.cleo, f"/clerk/{found.id}/receive/", {"key": "1" * 32, "good0": "1"})

        assert "Receive a parcel?" in words(answer)
        assert "1 x White mug: arrived well" in words(answer)
        assert get_service().get(found.id).status == "requested"

    def test_an_action_that_is_sent_again_is_done_once(self) -> None:
        """By its key."""
        found = self.done(self.returned(), "receive", {"good0": "1"}, key="1")

        again = self.done(found, "receive", {"good0": "1"}, key="1")

        assert len(again.receipts) == 1

    def test_what_arrives_is_inspected_and_paid(self) -> None:
        """By grade: the customer and the gateway see the same amount, and stock has what can be sold."""
        found = self.returned({"line1-quantity": "2"})
        found = self.done(found, "receive", {"good0": "2"}, key="1")
        assert found.status == "in_inspection"
        assert not self.refunds()

        found = self.done(found, "inspect", {"A0": "1", "B0": "1", "note": "a scratch"}, key="2")

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

        found = self.done(found, "approve", {"note": "Pack it well, please."}, key="1")

        assert (found.status, Parcel.objects.count()) == ("requested", 1)
        assert "Pack it well, please." in words(self.ada.get(f"/returns/{found.id}/"))
        assert any("Pack it well, please." in each.body for each in mail.outbox)

    def test_a_return_is_declined_for_a_reason(self) -> None:
        """Without one the form is shown again."""
        found = self.returned(_LAMP)

        answer = self.post(self.cleo, f"/clerk/{found.id}/decline/", {"key": "1" * 32, "confirmed": "yes"})
        assert answer.status_code == 400
        assert get_service().get(found.id).status == "pending_approval"

        found = self.done(found, "decline", {"reason": "worn", "note": "It was used."}, key="1")
        assert found.status == "declined"
        assert "It was used." in words(self.ada.get(f"/returns/{found.id}/"))

    def test_what_is_not_possible_is_refused_with_its_reason(self) -> None:
        """In the clerk's words; nothing was changed."""
        found = self.returned()

        answer = self.post(self.cleo, f"/clerk/{found.id}/approve/", {"key": "1" * 32, "confirmed": "yes"})

        assert answer.status_code == 409
        assert "This return does not wait for an approval." in words(answer)

    def test_a_mismatch_is_accepted(self) -> None:
        """Then what arrived is inspected."""
        found = self.returned({"line1-quantity": "2"})
        found = self.done(found, "receive", {"good0": "1"}, key="1")
        assert found.status == "requires_action"

        found = self.done(found, "accept", key="2")

        assert found.status == "in_inspection"

    def test_what_the_gateway_declined_is_paid_again(self) -> None:
        """Under another key; the customer reads nothing of the gateway's codes."""
        found = self.returned(number="1004")
        found = self.done(found, "receive", {"good0": "1"}, key="1")
        found = self.done(found, "inspect", {"A0": "1"}, key="2")
        assert [each.status for each in found.refunds] == ["failed"]
        page = words(self.ada.get(f"/returns/{found.id}/"))
        assert "Your bank did not take 9.00 EUR; we will find another way." in page
        assert "card_closed" not in page
        assert "card_closed" in words(self.cleo.get(f"/clerk/{found.id}/"))

        found = self.done(found, "retry", key="3")

        assert [each.key for each in self.refunds()] == [f"{found.id}-refund-1", f"{found.id}-refund-2"]

    def test_goods_of_grade_c_go_back(self) -> None:
        """Nothing is paid for them."""
        found = self.done(self.returned(), "receive", {"good0": "1"}, key="1")
        found = self.done(found, "inspect", {"C0": "1"}, key="2")

        assert found.refunded == Money(0, "eur")
        assert [each.key for each in Parcel.objects.order_by("key")] == [
            f"{found.id}-sendback-1",
            f"{found.id}-shipment-1",
        ]


class MailTest(ShopTest):
    """What customers are notified of."""

    def test_each_event_has_one_mail(self) -> None:
        """Sent again, nothing is sent: the request is answered, and its events were published."""
        found = self.returned()
        self.post(self.ada, "/orders/1001/return/", A_MUG)
        get_service().resume(found.id)

        assert [each.subject for each in mail.outbox] == [
            "We have your return (1001)",
            "News about your return (1001)",
        ]
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

    def test_mails_are_in_the_language_of_the_order(self) -> None:
        """Whatever the language of the browser or of the process."""
        form = {**A_MUG, "line1-reason": "size", "line1-note": "<b>zu groß</b>"}
        self.post(self.ben, "/orders/2001/return/", form, headers={"Accept-Language": "en"})

        assert mail.outbox[0].subject == "Wir haben Ihre Rücksendung notiert (2001)"
        assert "Guten Tag ben," in mail.outbox[0].body
