"""The payments port over HTTP, and what the gateway reports."""

import json
import logging
import time
from contextlib import redirect_stderr
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import ANY
from urllib.error import HTTPError

from django.conf import settings
from django.test import SimpleTestCase, override_settings
from gateway.signatures import sign

from rma import Money, RefundDeclined, RefundNotSent, RefundPending, RefundRequest, RefundSucceeded, Return
from shop.payments import GatewayPayments
from shop.returns import get_service
from shop.tests.base import ShopTest, words

_PATH = "/webhooks/gateway/"


def request_for(payment: str, key: str = "ret_1-refund-1", amount: int = 500) -> RefundRequest:
    """Returns a request for a refund."""
    return RefundRequest(key, "1001", "ret_1", payment, Money(amount, "eur"))


class PaymentsTest(ShopTest):
    """The port."""

    def test_a_repeated_key_has_no_second_effect_and_returns_the_first_answer(self) -> None:
        """As the Protocol demands."""
        payments = GatewayPayments()

        first, second = payments.refund(request_for("card")), payments.refund(request_for("card"))

        assert first == second == RefundSucceeded(ANY)
        assert len(self.refunds()) == 1
        assert payments.find_refund(request_for("card")) == first
        assert payments.find_refund(request_for("card", key="ret_2-refund-1")) is None

    def test_every_answer_is_a_value(self) -> None:
        """What is pending, what was declined."""
        payments = GatewayPayments()

        assert payments.refund(request_for("card_later", key="a")) == RefundPending(ANY)
        assert payments.refund(request_for("card_closed", key="b")) == RefundDeclined("card_closed")

    def test_a_key_with_another_amount_raises(self) -> None:
        """No outcome is invented."""
        payments = GatewayPayments()
        payments.refund(request_for("card"))

        with self.assertRaises(HTTPError) as caught:
            payments.refund(request_for("card", amount=600))

        with caught.exception as error:
            assert error.code == 409

    def test_a_gateway_that_is_not_there_was_sent_nothing(self) -> None:
        """Only then is it known."""
        with override_settings(GATEWAY_URL="http://127.0.0.1:1"):
            assert GatewayPayments().refund(request_for("card")) == RefundNotSent(ANY)

    def test_a_wrong_secret_is_refused(self) -> None:
        """And moves nothing."""
        with override_settings(GATEWAY_SECRET="another"), self.assertRaises(HTTPError) as caught:
            GatewayPayments().refund(request_for("card"))

        with caught.exception as error:
            assert error.code == 401
        assert not self.refunds()

    @override_settings(GATEWAY_TIMEOUT=0.2)
    def test_an_answer_that_is_lost_is_asked_for_again_under_its_key(self) -> None:
        """The money moved once; the customer sees that it is on its way, and then that it was paid."""
        found = self.done(self.returned(number="1005"), "receive", {"received_0": "1"})
        with self.assertLogs("rma", "WARNING"):
            found = self.done(found, "inspect", {"graded_0_0": "1"})
        assert [each.status for each in found.refunds] == ["pending"]
        assert len(self.refunds()) == 1

        get_service().resume(found.id)

        assert [each.status for each in get_service().get(found.id).refunds] == ["succeeded"]
        assert len(self.refunds()) == 1


class LogTest(SimpleTestCase):
    """What went wrong."""

    def test_it_is_written_to_a_file_and_not_to_the_terminal(self) -> None:
        """With its traceback: an answer that is lost fills no one's screen."""
        with redirect_stderr(StringIO()) as terminal:
            logging.getLogger("rma").warning("a call failed", exc_info=TimeoutError("the answer was lost"))

        written = (settings.FOLDER / "log.txt").read_text(encoding="utf-8")
        assert "WARNING rma: a call failed\nTimeoutError: the answer was lost\n" in written
        assert terminal.getvalue() == ""


class NotificationsTest(ShopTest):
    """What the gateway posts."""

    def report(self, event: Any, *, secret: str | None = None, at: float | None = None) -> Any:
        """Posts an event with its signature."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        signed = sign(secret or settings.GATEWAY_SECRET, int(time.time() if at is None else at), body)
        return self.post_body(body, signed)

    def post_body(self, body: bytes, signature: str) -> Any:
        """Posts a body."""
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(
                _PATH, body, content_type="application/json", headers={"Gateway-Signature": signature}
            )

    def pending(self) -> tuple[Return, dict[str, Any]]:
        """Returns a return whose refund is pending, and the event that says that it succeeded."""
        found = self.returned({"line1-quantity": "", "line2-quantity": "1", "line2-reason": "mind"}, "1002")
        found = self.done(found, "receive", {"received_0": "1"})
        found = self.done(found, "inspect", {"graded_0_0": "1"})
        (refund,) = found.refunds
        assert refund.status == "pending"
        said = {"key": refund.key, "id": refund.reference, "status": "succeeded", "code": ""}
        return found, {"id": "evt_1", "refund": said}

    def test_a_refund_that_ends_later_is_reported(self) -> None:
        """Once, however often it is reported."""
        found, event = self.pending()
        assert "Your money is on its way" in words(self.ada.get(f"/returns/{found.id}/"))

        for _time in range(3):
            assert self.report(event).status_code == 204

        assert [each.status for each in get_service().get(found.id).refunds] == ["succeeded"]
        page = words(self.ada.get(f"/returns/{found.id}/"))
        assert page.count("We paid back 11.00 EUR.") == 1

    def test_a_failure_that_is_reported_is_due_again(self) -> None:
        """So is what is reversed; a late repeat of the success changes nothing."""
        found, event = self.pending()
        self.report(event)
        reversal = {"id": "evt_2", "refund": event["refund"] | {"status": "reversed", "code": "returned"}}

        self.report(reversal)
        self.report(event)

        found = get_service().get(found.id)
        assert [each.status for each in found.refunds] == ["reversed"]
        assert found.amount_due == Money(1100, "eur")

    def test_what_is_not_signed_by_the_gateway_is_refused(self) -> None:
        """Also an old one that was intercepted, and one with another body."""
        found, event = self.pending()
        body = json.dumps(event).encode()
        now = int(time.time())
        day = timedelta(days=1).total_seconds()
        other = sign(settings.GATEWAY_SECRET, now, b"{}")

        for answer in (
            self.report(event, secret="another"),
            self.report(event, at=now - 301),
            self.report(event, at=now + day),
            self.post_body(body, ""),
            self.post_body(body, other),
            self.post_body(body, "t=x,v1=" + "0" * 64),
            self.post_body(body, f"t={now},v1={'é' * 64}"),
            self.post_body(body, f"t={'9' * 400},v1={'0' * 64}"),
        ):
            assert (answer.status_code, answer.content) == (400, b"signature")
        assert [each.status for each in get_service().get(found.id).refunds] == ["pending"]

    def test_what_is_signed_and_makes_no_sense_is_refused(self) -> None:
        """With a status that makes the gateway look, and nothing of ours in the answer."""
        found, event = self.pending()
        refund = event["refund"]

        for odd, status in (
            (b"", 400),
            (b"\xff", 400),
            (b"[" * 50_000, 400),
            (b"null", 400),
            ([], 400),
            ({"id": "evt_1"}, 400),
            ({"id": "evt_1", "refund": {**refund, "status": "gone"}}, 400),
            ({"id": "evt_1", "refund": {**refund, "id": 5}}, 400),
            ({"id": 5, "refund": refund}, 400),
            ({"id": "evt_1", "refund": {**refund, "key": ["x"]}}, 400),
            ({"id": "evt_1", "refund": {**refund, "key": "ret_\x00-refund-1"}}, 404),
            ({"id": "evt_1", "refund": {**refund, "key": "\ud800"}}, 404),
            ({"id": "evt_1", "refund": {**refund, "key": "ret_unknown-refund-1"}}, 404),
        ):
            with self.subTest(odd=str(odd)[:60]):
                answer = self.report(odd)
                assert answer.status_code == status, (answer.status_code, answer.content)
                assert len(answer.content) < 40
        assert self.report(b"x" * 70_000).status_code == 400
        assert [each.status for each in get_service().get(found.id).refunds] == ["pending"]
