"""What clerks see and do in the admin, as Django's test client does it."""

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from rma import (
    ApproveReturn,
    CancelExchange,
    Claim,
    ClaimItem,
    Exchange,
    ForeignDecision,
    ForeignItem,
    Money,
    NewItem,
    NotFound,
    OrderRedacted,
    PersonalField,
    ReceivedItem,
    ReceiveReturn,
    RecordSending,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    Return,
    StaleLedger,
    Unavailable,
    codec,
)
from rma.adapters.django import get_service
from rma.adapters.django.models import StoredReturn
from rma.adapters.memory import InMemoryFulfillment
from tests.django.back_office.shop import TITLE, Orders, closed, deaf
from tests.rules.given import line
from tests.world import RETURN_OPTION

LIST = "/admin/rma/storedreturn/"
MUG = line().id
OF_ORDER = ("export", "redact")
ACTIONS = ("receive", "inspect", "approve", "decline", "cancel", "retry", "resolve", "correct", "payout")


def request(order_id: str, quantity: int = 1, **more: Any) -> Return:
    """Requests mugs of this order."""
    items = [RequestedItem(item_id=MUG, quantity=quantity, **more)]
    return get_service().handle(RequestReturn(order_id=order_id, items=items, created_by="<b>Eve</b>"))


def page_of(subject_id: str) -> str:
    """Returns the address of one."""
    return f"{LIST}{subject_id.replace('_', '_5F')}/change/"


def do(subject_id: str, name: str) -> str:
    """Returns the address of an action."""
    return f"{LIST}{subject_id.replace('_', '_5F')}/do/{name}/"


def of_order(subject_id: str, name: str) -> str:
    """Returns the address of what is done with the whole order."""
    return f"{LIST}{subject_id.replace('_', '_5F')}/order/{name}/"


class BackOffice(TestCase):
    """A clerk who may see returns, and what `may` adds."""

    may: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Logs the clerk in."""
        for each in (closed, deaf, Orders.away):
            each.clear()
        self.clerk = self.user("ada", "view", *self.may)
        self.client.force_login(self.clerk)

    def user(self, name: str, *names: str) -> User:
        """Returns a new clerk who may do this."""
        user = User.objects.create_user(name, is_staff=True)
        codenames = [f"{each}_storedreturn" for each in names]
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    def page(self, address: str) -> str:
        """Returns the text of a page that is there."""
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def form(self, address: str) -> dict[str, str]:
        """Returns what the form of this page would send as it is."""
        found = re.findall(
            r'<input type="(?:hidden|number|text)" name="(\w+)"(?: value="([^"]*)")?', self.page(address)
        )
        return {name: value for name, value in found if name != "csrfmiddlewaretoken"}

    def said_after(self, answer: Any) -> list[tuple[str, str]]:
        """Returns level and text of what the page after an action says of it."""
        found = self.client.get(answer.url).context["messages"]
        return [(each.level_tag, str(each)) for each in found]

    def listed(self, **query: str) -> list[str]:
        """Returns the ids that the list shows."""
        answer = self.client.get(LIST, query)
        assert answer.status_code == 200
        return [each.return_id for each in answer.context["cl"].result_list]


class Seeing(BackOffice):
    """Lists and pages."""

    def test_only_who_may_see_returns_sees_them(self) -> None:
        """Others are sent to log in, or refused: at the list, a page and a form."""
        opened = request("order_1")
        for address in (LIST, page_of(opened.id), do(opened.id, "cancel")):
            assert Client().get(address).status_code == 302
            other = Client()
            other.force_login(self.user(f"bo{len(address)}"))
            assert other.get(address).status_code == 403

    def test_returns_are_found_by_status_attention_age_and_kind(self) -> None:
        """Alone and together; a value that is not offered filters nothing."""
        plain, waiting = request("order_1"), request("review_1")
        claim = claim_of("order_2")
        everything = {plain.id, waiting.id, claim.id}

        assert set(self.listed()) == everything
        assert self.listed(status="pending_approval") == [waiting.id]
        assert self.listed(status="requested", kind="return") == [plain.id]
        assert self.listed(kind="claim") == [claim.id]
        assert self.listed(needs_attention__exact="1") == [waiting.id]
        assert self.listed(age="1") == []
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE rma_returns SET requested_at = %s WHERE return_id = %s",
                [(timezone.now() - timedelta(days=4)).isoformat(timespec="microseconds"), plain.id],
            )
        assert self.listed(age="3") == [plain.id]
        assert self.listed(age="7") == []
        for each in ("x", "a\0b"):
            for name in ("age", "status", "kind"):
                assert set(self.listed(**{name: each})) == everything

    def test_the_list_says_it_in_words(self) -> None:
        """As the filters do, and without a tick for what is in trouble."""
        request("order_1")
        request("review_1")
        text = self.page(LIST)

        assert "pending approval</td>" in text
        assert "pending_approval</td>" not in text
        assert text.count('field-attention">yes</td>') == text.count('field-attention">no</td>') == 1
        assert "Returns, exchanges and claims" in text
        assert "Select return" not in text

    def test_what_no_id_can_have_is_found_nowhere(self) -> None:
        """A character that PostgreSQL has in no string, in an address or a question."""
        self.clerk.user_permissions.add(Permission.objects.get(codename="cancel_storedreturn"))
        for address in (page_of("a%00b"), do("a%00b", "cancel")):
            assert self.client.get(address).status_code == 404
        assert self.client.get(page_of("a%00b").replace("/change/", "/history/")).status_code in {302, 404}
        for name, status in (
            ("order_id", 400),
            ("return_id__startswith", 400),
            ("needs_attention", 400),
            ("q", 200),
        ):
            assert self.client.get(LIST, {name: "a\0b"}).status_code == status, name

    def test_returns_are_found_by_the_beginning_of_an_id(self) -> None:
        """Of an order, or their own; not by what is within one."""
        one, other = request("order_1"), request("another_1")

        assert self.listed(q="order_") == [one.id]
        assert self.listed(q=other.id) == [other.id]
        assert self.listed(q="rder") == []

    def test_a_page_says_what_it_is_worth_and_what_happened(self) -> None:
        """With each part of the amount, and each event of the order."""
        opened = request("order_1", 2)
        text = self.page(page_of(opened.id))

        assert f"return {opened.id}" in text
        assert "order_1" in text
        assert str(opened.breakdown[0].amount) in text
        assert f"{TITLE} ({MUG})" in text
        assert "in all, to be refunded" in text
        assert all(each.summary in text for each in get_service().timeline("order_1"))

    def test_markup_is_shown_and_not_run(self) -> None:
        """It may be of customers, clerks or other systems."""
        opened = request("order_1", note="<script>alert(1)</script>")
        for text in (self.page(page_of(opened.id)), self.page(LIST)):
            assert "<script>alert" not in text
            assert "<b>Eve" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in self.page(page_of(opened.id))

    def test_a_page_says_what_a_clerk_decides_on(self) -> None:
        """Dates, tracking numbers, what the customer chose, and why it needs attention."""
        opened = request("review_1", reason_id=None)
        sent = timezone.now()
        text = self.page(page_of(opened.id))
        assert "it waits for approval" in text
        assert facts_in(text)["outcome"] == "refund"

        get_service().handle(ApproveReturn(return_id=opened.id))
        get_service().handle(
            RecordSending(return_id=opened.id, sent_at=sent, tracking_number="<b>JJD00", proof="scan")
        )
        facts = facts_in(self.page(page_of(opened.id)))

        assert facts["needs attention"] == "no"
        assert {"to be sent until", "sent by the customer"} <= facts.keys()
        assert facts["tracking number of the customer"] == "&lt;b&gt;JJD00"

    def test_photos_are_links_on_the_web_only(self) -> None:
        """Anything else that a customer wrote is text; a link says nothing of the page that it is on."""
        images = ["https://pictures.example/1?a=b&c", "javascript:alert(1)", "mug.jpg", "data:text/html,x"]
        text = self.page(page_of(request("order_1", images=images).id))

        links = re.findall(r'<a href="(?![/#])([^"]*)"([^>]*)>', text)
        assert links == [
            ("https://pictures.example/1?a=b&amp;c", ' target="_blank" rel="noopener noreferrer"')
        ]
        assert all(each in text for each in images[1:])

    def test_an_exchange_says_what_is_sent_and_what_it_costs(self) -> None:
        """It and its return lead to each other."""
        exchange = exchange_of("order_1")
        text, of_return = self.page(page_of(exchange.id)), self.page(page_of(exchange.return_id))

        assert "Cup (v_2)" in text
        assert "new_item:v_2" in text
        assert f'href="{page_of(exchange.return_id)}"' in text
        assert f'href="{page_of(exchange.id)}"' in of_return
        assert facts_in(of_return)["outcome"] == "exchange"

    def test_a_page_does_without_titles_if_the_order_cannot_be_read(self) -> None:
        """A port of the host may raise anything."""
        opened = request("order_1")
        Orders.away.add("order_1")

        text = self.page(page_of(opened.id))

        assert MUG in text
        assert TITLE not in text

    def test_without_a_service_it_is_said_what_is_missing(self) -> None:
        """On each page, instead of an error of the server."""
        opened = request("order_1")
        self.clerk.user_permissions.add(Permission.objects.get(codename="cancel_storedreturn"))
        with override_settings(RMA={"TIMER": 60}):
            for address in (page_of(opened.id), do(opened.id, "cancel")):
                assert "SERVICE" in self.page(address)

    def test_exchanges_and_claims_have_pages(self) -> None:
        """As returns have."""
        for each in (exchange_of("order_1"), claim_of("order_2")):
            text = self.page(page_of(each.id))
            assert each.id in text
            assert "/do/" not in text
            assert ("production failure" in text) == isinstance(each, Claim)

    def test_what_cannot_be_read_is_said(self) -> None:
        """On the page, and before anything is asked."""
        opened = request("order_1")
        self.clerk.user_permissions.add(Permission.objects.get(codename="cancel_storedreturn"))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE rma_events SET document = '{'")

        for address in (page_of(opened.id), do(opened.id, "cancel")):
            assert "errornote" in self.page(address)

    def test_what_is_not_there_is_not_found(self) -> None:
        """Neither returns nor actions."""
        opened = request("order_1")
        assert self.client.get(page_of("ret_9")).status_code == 404
        assert self.client.get(do("ret_9", "cancel")).status_code == 404
        assert self.client.get(do(opened.id, "explode")).status_code == 404

    def test_nothing_is_added_changed_or_deleted_by_hand(self) -> None:
        """Not by a superuser either."""
        opened = request("order_1")
        self.clerk.is_superuser = True
        self.clerk.save()
        assert self.client.get(f"{LIST}add/").status_code == 403
        delete = page_of(opened.id).replace("/change/", "/delete/")
        assert self.client.post(delete, {"post": "yes"}).status_code == 403
        self.client.post(page_of(opened.id), {"status": "received"})
        assert get_service().get(opened.id) == opened

    def test_who_may_only_look_is_offered_nothing_and_refused(self) -> None:
        """Each action has a permission of its own."""
        opened = request("order_1")
        assert "/do/" not in self.page(page_of(opened.id))
        for name in ACTIONS:
            assert self.client.get(do(opened.id, name)).status_code == 403
            assert self.client.post(do(opened.id, name), {"key": "k"}).status_code == 403
        assert "/order/" not in self.page(page_of(opened.id))
        for name in OF_ORDER:
            assert self.client.get(of_order(opened.id, name)).status_code == 403
            assert self.client.post(of_order(opened.id, name), {"groups": ["notes"]}).status_code == 403
        assert get_service().get(opened.id) == opened


class Doing(BackOffice):
    """Actions, with every permission."""

    may = ACTIONS

    def offered(self, subject_id: str) -> list[str]:
        """Returns the actions that a page offers."""
        return sorted(re.findall(r"/do/(\w+)/", self.page(page_of(subject_id))))

    def send(self, subject_id: str, name: str, **changed: str) -> Any:
        """Sends the form of an action, as it is but for this."""
        return self.client.post(do(subject_id, name), {**self.form(do(subject_id, name)), **changed})

    def assert_done(self, answer: Any, subject_id: str) -> None:
        """It leads back to the page, which says so."""
        self.assertRedirects(answer, page_of(subject_id))
        entries = get_service().timeline(get_row(subject_id).order_id)
        assert entries[-1].by == "ada" or entries[-2].by == "ada"

    def test_what_became_of_it_is_said(self) -> None:
        """Done; failed, and why; or not known yet."""
        opened = request("order_1")
        closed.add("order_1")
        failed = (
            "It needs attention: the refund of 10.00 USD failed: card_closed; 10.00 USD is due and not paid."
        )
        received, again = f"Receive a parcel, {opened.id}", f"Refund again, {opened.id}"
        assert self.said_after(self.send(opened.id, "receive")) == [("warning", f"{received}. {failed}")]
        assert self.said_after(self.send(opened.id, "retry")) == [("warning", f"{again}. {failed}")]

        closed.clear()
        deaf.add("order_1")
        pending = "It was asked for; the outcome is pending: the refund of 10.00 USD."
        assert self.said_after(self.send(opened.id, "retry")) == [("warning", f"{again}. {pending}")]

        other = request("order_2")
        assert self.said_after(self.send(other.id, "receive")) == [
            ("success", f"Done: Receive a parcel, {other.id}.")
        ]

    def test_a_form_says_what_it_is_about(self) -> None:
        """What is approved or declined, with its worth and its photos."""
        opened = request("review_1", 2, images=["mug.jpg"], note="it leaks")
        for name in ("approve", "decline"):
            text = self.page(do(opened.id, name))
            assert all(each in text for each in (TITLE, "mug.jpg", "it leaks", "20.00 USD"))

    def test_what_is_canceled_is_not_offered_to_be_canceled(self) -> None:
        """Nor is the return of an exchange, which is canceled with it; after it, it may be by itself."""
        opened, exchange = request("order_1"), exchange_of("order_2")
        self.send(opened.id, "cancel")
        assert "cancel" not in self.offered(opened.id)
        assert "cancel" not in self.offered(exchange.return_id)
        assert "cancel" in self.offered(exchange.id)

        get_service().handle(CancelExchange(exchange_id=exchange.id, keep_return=True))

        assert "cancel" not in self.offered(exchange.id)
        assert "cancel" in self.offered(exchange.return_id)
        self.assertRedirects(self.send(exchange.return_id, "cancel"), page_of(exchange.return_id))
        assert get_row(exchange.return_id).status == "canceled"

    def test_a_form_only_asks(self) -> None:
        """To open it changes nothing."""
        opened = request("order_1")
        for name in ("receive", "cancel"):
            text = self.page(do(opened.id, name))
            assert "csrfmiddlewaretoken" in text
        assert get_service().get(opened.id) == opened

    def test_a_form_that_was_forged_does_nothing(self) -> None:
        """A request of another site has no token."""
        opened = request("order_1")
        forger = Client(enforce_csrf_checks=True)
        forger.force_login(self.clerk)

        assert forger.post(do(opened.id, "cancel"), {"key": "k"}).status_code == 403
        assert get_service().get(opened.id) == opened

    def test_a_parcel_is_received(self) -> None:
        """As many units as are expected are filled in; the form that is sent twice does it once."""
        opened = request("order_1", 2)
        assert self.offered(opened.id) == ["cancel", "receive", "resolve"]
        sent = self.form(do(opened.id, "receive"))
        assert (sent["received_0"], sent["damaged_0"]) == ("2", "0")

        answers = [self.client.post(do(opened.id, "receive"), sent) for _ in range(2)]  # a double click

        self.assert_done(answers[0], opened.id)
        self.assertRedirects(answers[1], page_of(opened.id))
        received = get_service().get(opened.id)
        assert (received.status, received.items[0].received_quantity) == ("received", 2)
        assert len(received.refunds) == 1
        assert f"{opened.id}-refund-1" in self.page(page_of(opened.id))

    def test_a_part_is_received_and_more_is_expected(self) -> None:
        """The next form expects the rest."""
        opened = request("order_1", 3)

        answer = self.send(opened.id, "receive", received_0="1", damaged_0="1", more_expected="on")

        self.assert_done(answer, opened.id)
        received = get_service().get(opened.id)
        assert (received.status, received.items[0].damaged_quantity) == ("partially_received", 1)
        assert self.form(do(opened.id, "receive"))["received_0"] == "1"

    def test_goods_that_wait_for_an_inspection_have_arrived_once(self) -> None:
        """One of two is here and is yet to be graded: one more is expected."""
        opened = request("inspect_1", 2)

        self.assert_done(self.send(opened.id, "receive", received_0="1", more_expected="on"), opened.id)

        assert self.form(do(opened.id, "receive"))["received_0"] == "1"

    def test_numbers_that_are_none_are_refused(self) -> None:
        """And nothing is stored, nor of a form without a key."""
        opened = request("order_1")
        for wrong in ("-1", "x", "", "9" * 30):
            assert self.send(opened.id, "receive", received_0=wrong).status_code == 400
        assert self.client.post(do(opened.id, "receive"), {}).status_code == 400
        assert get_service().get(opened.id) == opened

    def test_goods_are_inspected(self) -> None:
        """Once they have arrived, grade by grade."""
        opened = request("inspect_1", 2)
        assert "inspect" not in self.offered(opened.id)
        self.send(opened.id, "receive")
        assert "inspect" in self.offered(opened.id)
        text = self.page(do(opened.id, "inspect"))
        assert f"{TITLE} ({MUG}), of 2 to inspect: grade A (100 % paid, restock)" in text
        assert "grade &lt;i&gt;B (40 % paid, hold)" in text
        assert self.send(opened.id, "inspect").status_code == 400  # nothing was said
        assert self.send(opened.id, "inspect", graded_0_0="9").status_code == 400

        answer = self.send(opened.id, "inspect", graded_0_0="1", graded_0_1="1", note_0="a scratch")

        self.assert_done(answer, opened.id)
        inspected = get_service().get(opened.id)
        assert inspected.status == "received"
        assert sorted((each.grade, each.quantity) for each in inspected.items[0].graded) == [
            ("<i>B", 1),
            ("A", 1),
        ]

    def test_an_inspection_that_is_sent_twice_is_done_once(self) -> None:
        """The second time nothing waits any more."""
        opened = request("inspect_1", 1)
        self.send(opened.id, "receive")
        sent = {**self.form(do(opened.id, "inspect")), "graded_0_0": "1"}

        answers = [self.client.post(do(opened.id, "inspect"), sent) for _ in range(2)]  # a double click

        for answer in answers:
            self.assertRedirects(answer, page_of(opened.id))
        assert len(get_service().get(opened.id).inspections) == 1

    def test_what_arrived_otherwise_is_resolved(self) -> None:
        """Of three mugs one is fine, one goes back to the customer, one was lost and is paid for."""
        opened = request("order_1", 3)
        self.send(opened.id, "receive", received_0="1", damaged_0="1", more_expected="on")
        assert "resolve" in self.offered(opened.id)
        sent = {**self.form(do(opened.id, "resolve")), "damaged_0": "1", "lost_0": "1"}
        assert self.client.post(do(opened.id, "resolve"), {**sent, "lost_0": "2"}).status_code == 400

        answers = [self.client.post(do(opened.id, "resolve"), sent) for _ in range(2)]  # a double click

        self.assert_done(answers[0], opened.id)
        self.assertRedirects(answers[1], page_of(opened.id))
        resolved = get_service().get(opened.id)
        (item,) = resolved.items
        assert (resolved.status, item.lost_quantity, item.returned_to_customer_quantity) == ("received", 1, 1)
        assert resolved.entitlement.entitled == Money(2 * opened.quoted_refund.amount // 3, "usd")
        assert "resolve" not in self.offered(opened.id)

    def test_foreign_goods_are_decided_about(self) -> None:
        """All of them: one that is not named is refused."""
        opened = request("order_1")
        goods = [
            ForeignItem(description="<i>a sock", quantity=1),
            ForeignItem(description="a hat", quantity=2),
        ]
        items = [ReceivedItem(item_id=MUG, quantity=1)]
        get_service().handle(ReceiveReturn(return_id=opened.id, items=items, foreign=goods))
        assert "1 of &lt;i&gt;a sock" in self.page(do(opened.id, "resolve"))
        assert self.send(opened.id, "resolve", foreign_1="back").status_code == 409
        assert self.send(opened.id, "resolve", foreign_1="burn", foreign_2="keep").status_code == 400

        self.assert_done(self.send(opened.id, "resolve", foreign_1="back", foreign_2="keep"), opened.id)

        resolved = get_service().get(opened.id)
        assert [each.send_back for each in resolved.foreign_decisions] == [True, False]

    def test_an_amount_is_set(self) -> None:
        """In the currency of the order, of no more digits than it has."""
        closed.add("order_1")  # so that nothing was paid yet
        opened = request("order_1")
        self.send(opened.id, "receive")
        for wrong in ("1.001", "-1", "x", "1E+99", "NaN"):
            assert self.send(opened.id, "resolve", refund_amount=wrong).status_code == 400

        self.assert_done(self.send(opened.id, "resolve", refund_amount="1.50"), opened.id)

        assert get_service().get(opened.id).entitlement.entitled == Money(150, "usd")

    def test_a_receipt_is_corrected(self) -> None:
        """As many units as are booked are filled in; a reason is asked for."""
        opened = request("order_1", 2)
        assert "correct" not in self.offered(opened.id)
        self.send(opened.id, "receive", received_0="2")
        assert self.form(do(opened.id, "correct"))["received_0"] == "2"
        assert self.send(opened.id, "correct", received_0="1").status_code == 400

        self.assert_done(self.send(opened.id, "correct", received_0="1", reason="counted twice"), opened.id)

        corrected = get_service().get(opened.id)
        assert corrected.booked_quantities() == {MUG: (1, 0)}

    def test_what_was_paid_by_other_ways_is_recorded(self) -> None:
        """All that is due is filled in; more is refused."""
        closed.add("order_1")
        opened = request("order_1")
        self.send(opened.id, "receive")
        due = get_service().get(opened.id).amount_due
        assert self.form(do(opened.id, "payout"))["amount"] == str(due.major)
        for wrong in (str(due.major + 1), "0", "0.001"):
            assert self.send(opened.id, "payout", amount=wrong, reference="tr").status_code == 400

        self.assert_done(self.send(opened.id, "payout", reference="tr_1"), opened.id)

        assert get_service().get(opened.id).amount_due == Money(0, "usd")
        assert "payout" not in self.offered(opened.id)

    def test_what_cannot_be_done_now_is_said_as_that(self) -> None:
        """The database does not answer, or another commit came first."""
        opened = request("order_1")
        for error, status in ((StaleLedger("stale"), 409), (Unavailable("timed_out"), 503)):
            with patch.object(type(get_service()), "handle", side_effect=error):
                answer = self.send(opened.id, "cancel")
            assert (answer.status_code, str(error) in answer.content.decode()) == (status, True)

    def test_a_return_is_approved(self) -> None:
        """Then it is one like any other."""
        opened = request("review_1")
        assert self.offered(opened.id) == ["approve", "cancel", "decline", "receive"]

        self.assert_done(self.send(opened.id, "approve", note="welcome"), opened.id)

        assert get_service().get(opened.id).status == "requested"
        assert self.offered(opened.id) == ["cancel", "receive", "resolve"]

    def test_a_return_is_declined_with_a_reason(self) -> None:
        """Without one it is not."""
        opened = request("review_1")
        assert self.send(opened.id, "decline", reason="").status_code == 400

        self.assert_done(self.send(opened.id, "decline", reason="worn"), opened.id)

        declined = get_service().get(opened.id)
        assert (declined.status, declined.decision and declined.decision.reason) == ("declined", "worn")

    def test_a_return_an_exchange_and_a_claim_are_canceled(self) -> None:
        """By the same button."""
        closed.add("order_3")  # so that nothing was paid yet
        for each in (request("order_1"), exchange_of("order_2"), claim_of("order_3")):
            assert "cancel" in self.offered(each.id)
            self.assertRedirects(self.send(each.id, "cancel"), page_of(each.id))
            assert get_row(each.id).status == "canceled"

    def test_a_refund_is_asked_for_again(self) -> None:
        """Of a return and of a claim, while something is due."""
        closed.update(["order_1", "order_2"])
        opened, claim = request("order_1"), claim_of("order_2")
        self.send(opened.id, "receive")
        for each in (opened.id, claim.id):
            assert "retry" in self.offered(each)
            assert "card_closed" in facts_in(self.page(page_of(each)))["needs attention"]
        closed.clear()

        for each in (opened.id, claim.id):
            self.assert_done(self.send(each, "retry"), each)
            assert "retry" not in self.offered(each)
            assert not get_row(each).needs_attention

    def test_what_the_rules_refuse_is_said_and_nothing_is_done(self) -> None:
        """Also what the page does not offer."""
        opened = request("order_1")
        self.send(opened.id, "receive")
        received = get_service().get(opened.id)
        for name, sent in (("cancel", {}), ("decline", {"reason": "r"}), ("approve", {}), ("retry", {})):
            assert name not in self.offered(opened.id)
            answer = self.client.post(do(opened.id, name), {"key": f"k-{name}", **sent})
            assert answer.status_code == 409, name
            assert "errornote" in answer.content.decode()
        assert get_service().get(opened.id) == received


class Privacy(BackOffice):
    """What is done with all that is stored of an order, by who may do that and nothing else."""

    may = OF_ORDER
    script = "<script>alert(1)</script>"

    def redact(self, subject_id: str, *groups: str) -> Any:
        """Sends the form that redacts these groups."""
        return self.client.post(of_order(subject_id, "redact"), {"groups": groups})

    def text_after(self, answer: Any) -> tuple[int, str]:
        """Returns the status of an answer, and what its page says."""
        return answer.status_code, answer.content.decode()

    def test_each_needs_a_permission_of_its_own(self) -> None:
        """Who has one is offered that one, and refused the other; others are sent to log in."""
        opened = request("order_1")
        assert "/do/" not in self.page(page_of(opened.id))
        for mine, other in (OF_ORDER, OF_ORDER[::-1]):
            client = Client()
            assert client.post(of_order(opened.id, mine)).status_code == 302
            client.force_login(self.user(f"may {mine}", "view", mine))
            page = client.get(page_of(opened.id)).content.decode()
            assert (of_order(opened.id, mine) in page, of_order(opened.id, other) in page) == (True, False)
            assert client.get(of_order(opened.id, mine)).status_code == 200
            for send in (client.get, client.post):
                assert send(of_order(opened.id, other), {"groups": ["notes"]}).status_code == 403
            client.force_login(self.user(f"may only {mine}", mine))
            assert client.post(of_order(opened.id, mine), {"groups": ["notes"]}).status_code == 403
        assert get_service().get(opened.id) == opened

    def test_what_is_not_there_is_not_found(self) -> None:
        """Neither returns nor actions."""
        opened = request("order_1")
        for address in (
            of_order("ret_9", "export"),
            of_order("a%00b", "redact"),
            of_order(opened.id, "x"),
            do(opened.id, "export"),
            of_order(opened.id, "cancel"),
        ):
            assert self.client.post(address).status_code == 404

    def test_all_that_is_stored_is_downloaded(self) -> None:
        """By a form only; a browser keeps the file, and shows nothing of it; the log of Django says who."""
        opened = request("order_1", note=self.script)
        request("order_1")
        asked = self.client.get(of_order(opened.id, "export"))
        assert "Content-Disposition" not in asked
        assert not LogEntry.objects.exists()

        answer = self.client.post(of_order(opened.id, "export"))

        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer["Content-Disposition"] == 'attachment; filename="returns-order_1.json"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]
        export = codec.decode(answer.content.decode())
        assert export == get_service().export("order_1")
        assert export.ledger.returns[0].id == opened.id
        assert len(export.ledger.returns) == 2
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id) == (self.clerk, opened.id)
        assert "order_1 was exported" in entry.get_change_message()

    def test_a_file_has_a_name_whatever_the_order_is_called(self) -> None:
        """Nothing of it is a path, or ends the header."""
        opened = request('../a"b\r\nX-Evil: é')

        answer = self.client.post(of_order(opened.id, "export"))

        assert answer["Content-Disposition"] == 'attachment; filename="returns-.._a_b__X-Evil___.json"'
        assert "X-Evil" not in answer

    def test_an_order_is_redacted(self) -> None:
        """After a page that asks, which says what can be taken, and shows what there is."""
        opened = request("order_1", note=self.script, images=["jane.jpg"])
        text = self.page(of_order(opened.id, "redact"))
        assert "cannot be undone" in text
        assert text.count('type="checkbox"') == text.count("checked") == len(PersonalField)
        assert "jane.jpg" in text
        assert self.script not in text
        assert get_service().get(opened.id) == opened

        answer = self.redact(opened.id, *PersonalField)

        assert (answer.status_code, answer.url) == (302, page_of(opened.id))
        assert self.said_after(answer) == [
            ("success", "Order order_1 was redacted: notes, images, metadata, actors, shipments.")
        ]
        redacted = get_service().get(opened.id)
        assert (redacted.items[0].note, redacted.items[0].images, redacted.created_by) == (
            "[redacted]",
            (),
            "[redacted]",
        )
        last = get_service().history("order_1")[-1]
        assert isinstance(last, OrderRedacted)
        assert last.header.by == "ada"

    def test_only_what_was_chosen_is_taken(self) -> None:
        """Nothing that is not offered; to choose nothing is refused; a second time there is nothing left."""
        opened = request("order_1", note="n", images=["jane.jpg"])
        for groups in ((), ("everything",), ("notes", "everything")):
            assert self.redact(opened.id, *groups).status_code == 400
        assert get_service().get(opened.id) == opened

        self.said_after(self.redact(opened.id, "images"))

        item = get_service().get(opened.id).items[0]
        assert (item.note, item.images) == ("n", ())
        assert self.said_after(self.redact(opened.id, "images")) == [
            ("info", "Order order_1: there was nothing to take away.")
        ]

    def test_what_still_needs_the_data_is_said(self) -> None:
        """Each reason, and nothing is changed."""
        opened = get_service().handle(
            RequestReturn(
                order_id="order_1",
                items=[RequestedItem(item_id=MUG, quantity=1, note=self.script)],
                shipping_option_id=RETURN_OPTION.id,
            )
        )
        status, text = self.text_after(self.redact(opened.id, "notes", "shipments"))
        assert (status, f"{opened.id} is requested" in text, self.script in text) == (409, True, False)
        assert 'value="notes" id="id_groups_0" checked' in text
        assert 'value="images" id="id_groups_1" checked' not in text
        assert get_service().get(opened.id) == opened

        sock = ForeignItem(description=self.script, quantity=1)
        with patch.object(InMemoryFulfillment, "send_back", side_effect=TimeoutError, create=True):
            items = [ReceivedItem(item_id=MUG, quantity=1)]
            get_service().handle(ReceiveReturn(return_id=opened.id, items=items, foreign=[sock]))
            decided = [ForeignDecision(number=1, send_back=True)]
            get_service().handle(ResolveReturn(return_id=opened.id, foreign=decided))
        before = get_service().export("order_1")
        status, text = self.text_after(self.redact(opened.id, "notes"))
        assert (status, "has no outcome yet, after 1 attempts" in text) == (409, True)
        assert self.script not in text
        assert get_service().export("order_1") == before

    def test_an_order_that_is_gone_is_said(self) -> None:
        """Before anything is asked; or while it is done."""
        opened = request("order_1")
        gone = NotFound("order_not_found", {"order_id": "order_1"})
        for name in OF_ORDER:
            with patch.object(type(get_service()), name, side_effect=gone):
                status, text = self.text_after(
                    self.client.post(of_order(opened.id, name), {"groups": ["notes"]})
                )
            assert (status, str(gone) in text) == (404, True)
        assert not LogEntry.objects.exists()
        with connection.cursor() as cursor:
            for table in ("rma_ledgers", "rma_events"):
                cursor.execute(f"DELETE FROM {table}")
        for name in OF_ORDER:
            for send in (self.client.get, self.client.post):
                assert "errornote" in self.text_after(send(of_order(opened.id, name)))[1]

    def test_what_cannot_be_done_now_is_said_as_that(self) -> None:
        """The database does not answer, or there is no service."""
        opened = request("order_1")
        error = Unavailable("timed_out")
        for name in OF_ORDER:
            sent = {"groups": ["notes"]}
            with patch.object(type(get_service()), name, side_effect=error):
                status, text = self.text_after(self.client.post(of_order(opened.id, name), sent))
            assert (status, str(error) in text) == (503, True)
            with override_settings(RMA={"TIMER": 60}):
                assert "SERVICE" in self.page(of_order(opened.id, name))

    def test_a_form_that_was_forged_does_nothing(self) -> None:
        """A request of another site has no token; one with the token of the page has one."""
        opened = request("order_1", note="n")
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.clerk)
        for name in OF_ORDER:
            sent = {"groups": ["notes"]}
            assert client.post(of_order(opened.id, name), sent).status_code == 403
            text = client.get(of_order(opened.id, name)).content.decode()
            assert get_service().get(opened.id) == opened
            (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', text)[-1:]
            sent["csrfmiddlewaretoken"] = token
            assert client.post(of_order(opened.id, name), sent).status_code in {200, 302}
        assert get_service().get(opened.id).items[0].note == "[redacted]"


def facts_in(text: str) -> dict[str, str]:
    """Returns what is said at the top of a page."""
    return dict(re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>', text))


def get_row(subject_id: str) -> Any:
    """Returns the row of one."""
    return StoredReturn.objects.get(return_id=subject_id)


def exchange_of(order_id: str) -> Exchange:
    """Requests other goods for a mug."""
    return get_service().handle(
        RequestExchange(
            order_id=order_id,
            items=[RequestedItem(item_id=MUG, quantity=1)],
            new_items=[NewItem(variant_id="v_2", title="Cup", quantity=1, unit_price=1000)],
        )
    )


def claim_of(order_id: str) -> Claim:
    """Claims the price of a mug."""
    items = [ClaimItem(item_id=MUG, quantity=1, reason="production_failure")]
    return get_service().handle(RequestClaim(order_id=order_id, type="refund", items=items))
