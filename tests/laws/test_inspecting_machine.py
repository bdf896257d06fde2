"""The machine of the laws, in a shop that inspects what arrives."""

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from rma import InspectedItem, InspectReturn, Return, ReturnStatus
from rma.testing.strategies import everything_fulfilled, inspecting, orders, policies
from tests.laws.test_machine import Returns
from tests.world import World


class Inspecting(Returns):
    """An order, its returns, and a host whose clerks look at what arrives."""

    @initialize(
        order=orders().map(everything_fulfilled),
        policy=st.builds(lambda policy, more: evolve(policy, **more), policies(), inspecting()),
        is_only_returns=st.booleans(),
    )
    def sell(self, order, policy, is_only_returns):  # type: ignore[no-untyped-def] # hypothesis passes what initialize says
        """An order was sold, by a shop that inspects."""
        self.world = World(order, policy)
        self.is_only_returns = is_only_returns
        self.pays_for_damage = policy.refund_damaged
        self.is_plain = False

    @rule(data=st.data())
    def goods_are_inspected(self, data: st.DataObject) -> None:
        """Some of what waits, or again."""
        self.handle_command_of(data, InspectReturn)

    @rule(data=st.data())
    def one_more_unit_comes_home(self, data: st.DataObject) -> None:
        """A single unit is requested, arrives, waits, and is paid for once it was judged."""
        left = [each for each in self.world.observer.returnable_items(self.world.order_id) if each.quantity]
        if not left:
            return
        item_id = data.draw(st.sampled_from(left)).item_id
        opened = self.request({item_id: 1})
        if opened is None or not opened.is_open:
            return
        received = self.receive(opened, {item_id: (1, 0)})
        assert received is not None
        assert received.status is ReturnStatus.IN_INSPECTION
        assert not received.refunds or received.is_paid_ahead
        grade = data.draw(st.sampled_from([each.name for each in received.terms.scale]))
        looked_at = InspectedItem(item_id=item_id, quantity=1, grade=grade)
        answer = self.handle(InspectReturn(return_id=received.id, items=[looked_at]))
        assert isinstance(answer, Return)
        assert answer.status is ReturnStatus.RECEIVED


TestInspecting = Inspecting.TestCase
TestInspecting.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=30)
del Returns  # its own machine runs where it is
