"""
What each port promises, as a test class an adapter is held to.

Subclass one in your tests under a name that begins with `Test`, say how the adapter is made, and pytest
runs its laws; the base classes themselves are not collected. Further methods give the
laws what the adapter cannot: how many refunds the gateway really made, what is really in stock.

    from rma.testing.contracts import PaymentsContract

    class TestGateway(PaymentsContract):
        def make(self) -> GatewayPayments:
            self.gateway = FakeGateway()
            return GatewayPayments(self.gateway)

        def refunds_made(self, key: str) -> int:
            return self.gateway.count(idempotency_key=key)

An adapter that is awaited is held to the same laws by the same class. Its calls run in an event loop kept for
the test; `self.wait(…)` runs your own coroutines there, and `close` is called at the end.

    class TestAsyncGateway(PaymentsContract):
        def make(self) -> AsyncGatewayPayments:
            self.client = self.wait(FakeClient.open())
            return AsyncGatewayPayments(self.client)

        def refunds_made(self, key: str) -> int:
            return self.wait(self.client.count(idempotency_key=key))

        def close(self) -> None:
            self.wait(self.client.close())
"""

import pytest

pytest.register_assert_rewrite(
    *[
        f"{__name__}.{module}"
        for module in (
            "archiving",
            "catalogues",
            "delivering",
            "events",
            "fulfillment",
            "host_transactions",
            "inspecting",
            "inventory",
            "listing",
            "means",
            "money",
            "payments",
            "port_contract",
            "races",
            "redacting",
            "repairing",
            "replacements",
            "repository_port",
            "returns",
        )
    ]
)

from rma.testing.contracts.catalogues import (  # noqa: E402 # pytest explains asserts of what is imported later
    OrderRepositoryContract,
    ReturnReasonRepositoryContract,
    ShippingOptionRepositoryContract,
)
from rma.testing.contracts.events import EventPublisherContract  # noqa: E402
from rma.testing.contracts.fulfillment import FulfillmentContract, ShipmentLookupContract  # noqa: E402
from rma.testing.contracts.holds import (  # noqa: E402
    ChargeLookupContract,
    HoldsContract,
    ReservationsContract,
)
from rma.testing.contracts.host_transactions import HostTransactionContract  # noqa: E402
from rma.testing.contracts.inspecting import DisposalContract, SendingBackContract  # noqa: E402
from rma.testing.contracts.inventory import InventoryContract  # noqa: E402
from rma.testing.contracts.means import (  # noqa: E402
    CreditLookupContract,
    CreditsContract,
    PayoutLookupContract,
    PayoutsContract,
)
from rma.testing.contracts.payments import PaymentsContract, RefundLookupContract  # noqa: E402
from rma.testing.contracts.replacements import ReplacementsContract  # noqa: E402
from rma.testing.contracts.returns import ReturnRepositoryContract  # noqa: E402

__all__ = [
    "ChargeLookupContract",
    "CreditLookupContract",
    "CreditsContract",
    "DisposalContract",
    "EventPublisherContract",
    "FulfillmentContract",
    "HoldsContract",
    "HostTransactionContract",
    "InventoryContract",
    "OrderRepositoryContract",
    "PaymentsContract",
    "PayoutLookupContract",
    "PayoutsContract",
    "RefundLookupContract",
    "ReplacementsContract",
    "ReservationsContract",
    "ReturnReasonRepositoryContract",
    "ReturnRepositoryContract",
    "SendingBackContract",
    "ShipmentLookupContract",
    "ShippingOptionRepositoryContract",
]
