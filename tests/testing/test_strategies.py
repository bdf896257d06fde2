"""What the strategies draw is valid, is varied, and can be repeated."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from rma import (
    Command,
    DeliveryChanged,
    Event,
    GoodsReceived,
    Money,
    Order,
    RefundOutcomeRecorded,
    RefundRetried,
    Rejected,
    ReturnCanceled,
    ReturnPolicy,
    ReturnStatus,
    ShippingOption,
)
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryPayments,
    InMemoryReturns,
    in_memory_service,
)
from rma.domain.change import replay
from rma.domain.messages.commands import OpeningCommand
from rma.testing.core_harness import CoreHarness, Flow, counting
from rma.testing.edits import total_paid
from rma.testing.fault_injection import inject_faults
from rma.testing.faults import Crashed, Faults
from rma.testing.strategies import (
    command_sequences,
    everything_fulfilled,
    flows,
    orders,
    payments,
    policies,
)

POST = ShippingOption(id="post", price=200)


class Lived:
    """Commands handled one after the other, each repeated where its process died."""

    def __init__(self, order: Order, commands: Sequence[Command], faults: Faults) -> None:
        self.returns = InMemoryReturns()
        self.payments = InMemoryPayments()
        self.inventory = InMemoryInventory()
        self.fulfillment = InMemoryFulfillment()
        self.refused: list[str] = []
        requests = 0
        for command in commands:
            requests += isinstance(command, OpeningCommand)
            while True:
                service = in_memory_service(
                    [order],
                    shipping_options=[POST],
                    returns=self.returns,
                    payments=self.payments,
                    inventory=self.inventory,
                    fulfillment=self.fulfillment,
                    ids=lambda: str(requests),  # noqa: B023
                )
                with suppress(Crashed):
                    self._handle(inject_faults(service, faults).handle, command)
                    break

    def _handle(self, handle: Callable[[Command], object], command: Command) -> None:
        try:
            handle(command)
        except Rejected as error:
            self.refused.append(error.code)

    @property
    def end(self) -> list[object]:
        """Everything that counts, without timestamps and revisions."""
        return [
            [
                (
                    each.id,
                    each.status,
                    each.items,
                    each.refund_amount,
                    each.shipment,
                    each.entitlement.entitled.amount,
                )
                for each in self.returns.load("order_1").returns
            ],
            [(r.key, r.amount, r.status) for r in self.returns.load("order_1").refunds],
            [
                (each.id, each.status, each.difference_due, each.paid, each.shipment)
                for each in self.returns.load("order_1").exchanges
            ],
            [
                (each.id, each.status, each.entitlement.entitled.amount, each.shipment)
                for each in self.returns.load("order_1").claims
            ],
            self.fulfillment.replacements,
            self.payments.refunds,
            self.inventory.restocks,
            self.inventory.withdrawals,
            self.inventory.on_hand,
            self.fulfillment.shipments,
            self.fulfillment.cancellations,
            self.refused,
        ]


@given(data=st.data())
def test_a_sequence_of_commands_is_the_same_with_ports_as_without(data: st.DataObject) -> None:
    """A service whose ids count does what the pure core does in a harness."""
    order = data.draw(orders(most_lines=2))
    commands = data.draw(command_sequences(order, option=POST))
    harness = CoreHarness(order, options=[POST], ids=counting())
    for command in commands:
        with suppress(Rejected):
            harness.handle(command)
        harness.record_outcomes()
        harness.record_outcomes()

    lived = Lived(order, commands, Faults())

    in_harness = [(each.id, each.status, each.refunded) for each in harness.ledger.returns]
    assert [(e.id, e.status, e.refunded) for e in lived.returns.load("order_1").returns] == in_harness


@given(data=st.data())
def test_any_commands_survive_a_crash_anywhere(data: st.DataObject) -> None:
    """For every order and every command: repeated after the crash, it ends the same."""
    order = data.draw(orders(most_lines=2).map(everything_fulfilled))
    commands = data.draw(command_sequences(order, option=POST, most=5))
    calm = Faults()
    expected = Lived(order, commands, calm).end
    point = data.draw(st.integers(1, calm.points))

    crashed = Lived(order, commands, Faults(crash_at=[point]))

    assert crashed.end == expected, calm.where(point)


@given(flow=flows())
def test_a_flow_is_a_chain_of_commits_that_history_rebuilds(flow: Flow) -> None:
    """Each made from the one before; its representation is one line."""
    assert [change.expected_revision for change in flow] == list(range(len(flow)))
    events = [event for change in flow for event in change.events]
    if flow:
        assert replay("order_1", events) == flow[-1].ledger
    assert all(each.id.startswith("ret_order_1_") for change in flow for each in change.ledger.returns)
    assert repr(flow).startswith("Flow(")
    assert len(repr(flow)) < 100 + 60 * len(events)


def _is_tried_in_vain(event: Event) -> bool:
    return isinstance(event, DeliveryChanged) and event.delivery.attempts > 0


@pytest.mark.parametrize(
    "happened",
    [
        lambda event: isinstance(event, ReturnCanceled) and bool(event.withdraw_requests),
        lambda event: isinstance(event, GoodsReceived) and event.status is ReturnStatus.PARTIALLY_RECEIVED,
        lambda event: isinstance(event, GoodsReceived) and len(event.refunds) > 1,
        lambda event: isinstance(event, RefundRetried),
        lambda event: isinstance(event, RefundOutcomeRecorded),
        _is_tried_in_vain,
    ],
)
def test_flows_come_to_what_happens_seldom(happened: Callable[[Event], bool]) -> None:
    """A law that never meets it proves nothing. The search stops at the first flow that has it."""
    find(
        flows(),
        lambda flow: any(happened(event) for change in flow for event in change.events),
        settings=settings(max_examples=100_000, phases=[Phase.generate], database=None),
    )


@given(order=orders(order_id="o", currency="jpy"), data=st.data())
def test_orders_are_paid_exactly(order: Order, data: st.DataObject) -> None:
    """In one to three payments, in the currency that was asked for."""
    assert (order.id, order.currency) == ("o", "jpy")
    assert sum(payment.captured.amount for payment in order.payments) == total_paid(order)
    parts = data.draw(payments(1000, "eur"))
    assert 1 <= len(parts) <= 3
    assert sum([part.captured for part in parts], Money(0, "eur")) == Money(1000, "eur")


@given(policy=policies())
def test_policies_can_be_asked(policy: ReturnPolicy) -> None:
    """They were built by their constructor."""
    assert isinstance(policy, ReturnPolicy)
