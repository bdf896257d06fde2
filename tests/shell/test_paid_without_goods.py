"""A signal says that a return was paid before its goods arrived, and ended without them."""

from datetime import timedelta

from rma import MissingItem, ResolveReturn, ReturnPolicy
from rma.adapters.memory import in_memory_service
from rma.observing import AttentionNeeded
from tests.rules.given import order_of, request, usd
from tests.shell.adapters import Clock
from tests.shell.shop import Signals

EARLY = ReturnPolicy(pay_on="request", return_within_days=1)


class Early:
    """A shop with these terms, one order of two mugs, its clock, and the signals that its observer got."""

    def __init__(self, policy: ReturnPolicy = EARLY) -> None:
        self.clock, self.signals = Clock(), Signals()
        self.service = in_memory_service(
            [order_of()], policies=policy, clock=self.clock, observer=self.signals, ids=lambda: "1"
        )
        self.service.handle(request(2))

    def two_days_later(self) -> None:
        """The timer comes, twice."""
        self.clock.now += timedelta(days=2)
        self.service.resume()
        self.service.resume()

    @property
    def attention(self) -> list[tuple[str, object]]:
        """Reasons and amounts of what needs attention."""
        return [(each.reason, each.amount) for each in self.signals if isinstance(each, AttentionNeeded)]


def test_a_return_that_expires_though_it_was_paid_gives_one_signal() -> None:
    """By the timer that ends it, with what was overpaid; it is listed until a person decides."""
    shop = Early()

    shop.two_days_later()

    assert shop.attention == [("paid_without_goods", usd(2000))]
    (listed,) = shop.service.list(needs_attention=True)
    shop.service.handle(ResolveReturn(return_id=listed.id, refund_amount=0))
    assert shop.service.list(needs_attention=True) == ()
    assert len(shop.attention) == 1


def test_what_a_person_says_is_missing_gives_no_signal() -> None:
    """They know."""
    shop = Early()

    shop.service.handle(
        ResolveReturn(return_id="ret_1", missing=[MissingItem(item_id="mug", quantity=2, pay=False)])
    )

    assert shop.attention == []


def test_what_expires_and_was_not_paid_gives_no_signal() -> None:
    """Nothing is lost."""
    shop = Early(ReturnPolicy(return_within_days=1))

    shop.two_days_later()

    assert shop.attention == []
