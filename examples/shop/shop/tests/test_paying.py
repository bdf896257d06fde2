"""What a customer owes for an exchange is taken once, and recorded or given back, whatever goes wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from rma import CancelExchange, Exchange, Money, NewItem, RequestedItem, RequestExchange
from shop.charging import go_on, pay_difference
from shop.models import ChargeAttempt
from shop.returns import get_service
from shop.sample import make_sample
from shop.tests.base import ShopTest, answering_gateway, served_gateway, words

_SWAP = {"outcome": "exchange", "way": "own", "line1-instead": "mug-blue"}


class PayingTest(ShopTest):
    """The difference of an exchange is 0.71 EUR."""

    def setUp(self) -> None:
        """Has ada ask for an exchange."""
        super().setUp()
        found = self.returned(_SWAP)
        assert found.exchange_id is not None
        self.return_id, self.exchange_id = found.id, found.exchange_id

    @property
    def exchange(self) -> Exchange:
        """The exchange as it is now."""
        return get_service().get_exchange(self.exchange_id)

    def pay(self) -> str:
        """Returns what ada reads after she clicked."""
        answer = self.post(self.ada, f"/returns/{self.return_id}/pay/", {}, follow=True)
        assert answer.status_code == 200
        return words(answer)

    @contextmanager
    def answering(self, body: bytes, *, is_forwarding: bool = True, paths: str = "/") -> Iterator[None]:
        """The gateway does as it is asked, but what arrives of its answers about these paths is this."""
        real = self.gateway.url if is_forwarding else None
        with answering_gateway(body, real, paths) as url, override_settings(GATEWAY_URL=url):
            yield

    def moved(self) -> list[tuple[str, int]]:
        """Returns what the gateway was asked for."""
        return [(each.kind, each.amount) for each in self.refunds()]

    def test_a_charge_whose_answer_is_lost_is_asked_for_again_under_its_key(self) -> None:
        """It is recorded then."""
        with self.answering(b""):
            page = self.pay()
        assert "We do not know yet whether your payment of 0.71 EUR worked" in page
        assert self.exchange.paid.amount == 0

        self.pay()

        assert self.moved() == [("charge", 71)]
        assert self.exchange.paid.amount == 71

    def test_what_cannot_be_read_says_nothing_about_the_money(self) -> None:
        """Whatever the gateway answers, the page is shown, and the same charge is asked for again."""
        for body in (
            b"<html>",
            b"[]",
            b"{}",
            b'{"status": "succeeded"}',
            b'{"status": "succeeded", "id": ""}',
            b'{"status": "succeeded", "id": 5}',
            b'{"status": "gone", "id": "ch_1"}',
            b"\xff",
            b"[" * 50_000,
        ):
            with self.subTest(body=body[:40]), self.answering(body):
                assert "We do not know yet" in self.pay()

        assert self.moved() == [("charge", 71)]
        assert ChargeAttempt.objects.get().state == ChargeAttempt.State.OPEN

    def test_a_charge_that_cannot_be_recorded_any_more_is_given_back(self) -> None:
        """The exchange was canceled while its outcome was not known."""
        with self.answering(b""):
            self.pay()
        self.cancel()

        page = self.pay()
        self.pay()

        assert self.moved() == [("charge", 71), ("refund", 71)]
        assert self.refunds()[1].payment == self.refunds()[0].id
        assert "Your payment of 0.71 EUR came too late: it is given back to you." in page
        assert self.exchange.paid.amount == 0

    def test_what_is_owed_may_change_while_the_outcome_is_not_known(self) -> None:
        """The first charge counts; the rest is another one under another key."""
        with self.answering(b""):
            self.pay()
        found = self.done(get_service().get(self.return_id), "receive", {"received_0": "1"})
        self.done(found, "inspect", {"graded_0_1": "1"})
        assert self.exchange.owed.amount > 71

        assert "You paid 0.71 EUR." in self.pay()
        self.pay()

        assert self.exchange.owed.amount == 0
        assert self.exchange.status == "completed"
        assert sum(amount for _kind, amount in self.moved()) == self.exchange.paid.amount
        assert [each.key for each in self.refunds()] == [
            f"{self.exchange_id}-difference-{number}" for number in (1, 2)
        ]

    def test_a_charge_that_was_declined_is_followed_by_one_under_another_key(self) -> None:
        """No money was taken by the first."""
        with self.answering(b'{"status": "failed", "code": "card_closed"}', is_forwarding=False):
            page = self.pay()
        assert "The payment did not work." in page
        assert "card_closed" not in page

        self.pay()

        assert [each.key for each in self.refunds()] == [f"{self.exchange_id}-difference-2"]
        assert self.exchange.paid.amount == 71

    def test_the_timer_ends_what_no_one_clicks_again(self) -> None:
        """A charge whose answer is lost again, and its refund, whose answer is lost as well."""
        with self.answering(b""):
            self.pay()
        self.cancel()
        states = []
        for lost in ("/charges", "/refunds", "/never"):
            with self.answering(b"", paths=lost):
                call_command("charges")
            states.append(ChargeAttempt.objects.get().state)

        assert states == [
            ChargeAttempt.State.OPEN,
            ChargeAttempt.State.REFUSED,
            ChargeAttempt.State.REFUNDED,
        ]
        assert self.moved() == [("charge", 71), ("refund", 71)]

    def test_who_is_late_with_an_attempt_does_not_record_it_again(self) -> None:
        """Another request gave it back meanwhile, and the same amount is owed again."""
        with self.answering(b""):
            self.pay()
        late = ChargeAttempt.objects.get()
        ChargeAttempt.objects.update(state=ChargeAttempt.State.REFUNDED)

        assert go_on(late).state == ChargeAttempt.State.REFUNDED

        assert self.exchange.paid.amount == 0

    def test_what_cannot_be_given_back_is_for_a_clerk(self) -> None:
        """The customer reads that, and pays nothing again; the clerk finds it."""
        with self.answering(b""):
            self.pay()
        self.cancel()
        ChargeAttempt.objects.update(state=ChargeAttempt.State.REFUSED, reference="ch_closed")

        page = self.pay()

        assert "We are looking into your payment of 0.71 EUR" in page
        listed = self.clerk_sees()
        assert "For a clerk" in listed
        assert self.exchange_id in listed
        assert "0.71 EUR" in listed

    def test_a_key_that_the_gateway_may_have_forgotten_is_not_sent_again(self) -> None:
        """It could move the money twice: a clerk looks at the gateway."""
        with self.answering(b""):
            self.pay()
        ChargeAttempt.objects.update(at=timezone.now() - timedelta(hours=24))

        assert "We are looking into your payment" in self.pay()

        assert self.exchange.paid.amount == 0
        assert self.moved() == [("charge", 71)]

    def test_a_clerk_says_how_it_ended(self) -> None:
        """And nothing else about it; a new one is begun then."""
        with self.answering(b"", is_forwarding=False):
            self.pay()
        ChargeAttempt.objects.update(state=ChargeAttempt.State.STUCK)
        (key,) = ChargeAttempt.objects.values_list("key", flat=True)
        path = reverse("admin:shop_chargeattempt_change", args=[key.replace("_", "_5F")])

        answer = self.post(self.cleo, path, {"state": ChargeAttempt.State.DECLINED, "amount": "1"})
        self.pay()

        assert answer.status_code == 302
        assert self.moved() == [("charge", 71)]
        assert self.exchange.paid.amount == 71

    def cancel(self) -> None:
        """Cancels the exchange, as the back office does."""
        with self.captureOnCommitCallbacks(execute=True):
            get_service().handle(CancelExchange(exchange_id=self.exchange_id, created_by="cleo"))

    def clerk_sees(self) -> str:
        """Returns what the list of charges says."""
        page: Any = self.cleo.get(reverse("admin:shop_chargeattempt_changelist"))
        assert page.status_code == 200
        return words(page)


@override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
class PayingAtOnceTest(TransactionTestCase):
    """In transactions that are committed."""

    def test_clicks_and_the_timer_at_once_take_it_once(self) -> None:
        """Each has a connection of its own."""
        make_sample()
        swap = RequestExchange(
            order_id="1001",
            items=[RequestedItem(item_id="1001-1-mug-white", quantity=1, reason_id="mind")],
            new_items=[NewItem(variant_id="mug-blue", quantity=1, unit_price=Money(1490, "eur"))],
        )
        exchange = get_service().handle(swap)

        def pay(number: int) -> None:
            with closing(connections["default"]):
                if number % 2:
                    call_command("charges")
                pay_difference("1001", exchange.id, "customer ada")

        with TemporaryDirectory() as folder, served_gateway(Path(folder)) as gateway:
            with override_settings(GATEWAY_URL=gateway.url), ThreadPoolExecutor(4) as pool:
                list(pool.map(pay, range(4)))
            moved = [(each.kind, each.amount) for each in gateway.movements.all()]

        paid = get_service().get_exchange(exchange.id).paid
        assert paid == exchange.owed
        assert moved == [("charge", paid.amount)]
        assert [each.state for each in ChargeAttempt.objects.all()] == [ChargeAttempt.State.RECORDED]
