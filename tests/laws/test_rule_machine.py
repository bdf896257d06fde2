"""The machine of the laws, in a shop with rules of return and with charges on its orders."""

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from rma import Charge, Money, Order, ReturnPolicy, ReturnRule, ReturnStatus
from rma.domain.sale.charges import refundable_part
from rma.domain.values.errors import InvalidValue
from rma.testing.strategies import charges, everything_fulfilled, orders, policies_with_rules
from tests.laws.test_machine import Returns
from tests.world import World


def with_charges(order: Order, paid: tuple[Charge, ...]) -> Order:
    """Returns the order with these charges, which were captured, too."""
    first, *others = order.payments
    more = sum(max(0, refundable_part(charge).amount) for charge in paid)
    captured = evolve(first, captured=first.captured + Money(more, order.currency))
    return evolve(order, charges=paid, payments=[captured, *others])


def with_a_last_rule(policy: ReturnPolicy) -> ReturnPolicy:
    """Returns the policy with a rule for all that no other takes, so that most is taken."""
    rest = ReturnRule(name="rest", charges_back="all_back")
    try:
        return evolve(policy, rules=[*policy.rules, rest])
    except InvalidValue:  # another takes everything
        return policy


class UnderRules(Returns):
    """An order with charges, its returns, and a host whose rules decide."""

    @initialize(
        order=st.builds(with_charges, orders().map(everything_fulfilled), charges()),
        policy=policies_with_rules(waits=True).map(with_a_last_rule),
        is_only_returns=st.booleans(),
    )
    def sell(self, order, policy, is_only_returns):  # type: ignore[no-untyped-def] # hypothesis passes what initialize says
        """An order was sold, by a shop with rules."""
        self.world = World(order, policy)
        self.is_only_returns = is_only_returns
        self.pays_for_damage = policy.refund_damaged
        self.is_plain = False

    @rule(data=st.data())
    def one_more_unit_comes_home(self, data: st.DataObject) -> None:
        """A single unit is requested as an option says, and arrives, or is kept."""
        left = [each for each in self.world.observer.returnable_items(self.world.order_id) if each.quantity]
        if not left:
            return
        found = data.draw(st.sampled_from(left))
        opened = self.request({found.item_id: 1})
        refund = next((each for each in found.options if each.outcome == "refund"), None)
        assert (opened is not None) == (refund is not None and refund.is_offered)
        if opened is not None and opened.is_open:
            received = self.receive(opened, {found.item_id: (1, 0)})
            assert received is not None
            assert received.status is ReturnStatus.RECEIVED

    def count_noticed(self) -> int:
        """Where goods are kept, a request is noticed twice: it is received, too."""
        kept = sum(any(item.kept_quantity for item in each.items) for each in self.world.all_returns)
        return super().count_noticed() + kept


TestUnderRules = UnderRules.TestCase
TestUnderRules.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=30)
del Returns  # its own machine runs where it is
