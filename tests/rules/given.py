"""Given what happened, when a command is handled, then these events: the core alone, without ports."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from rma import (
    Adjustment,
    Claim,
    Command,
    Event,
    LineItem,
    Money,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    Rejected,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnReason,
    ShippingOption,
    TaxLine,
    UpdateReturn,
)
from rma.domain.change import apply_command, apply_outcomes, apply_overdue, replay
from rma.domain.decide.facts import Facts
from rma.domain.messages.advance import ChargeOutcome, ChargeSucceeded, OutOfStock
from rma.domain.messages.commands import Request
from rma.domain.messages.effects import (
    Done,
    GivenUp,
    NoRoom,
    Outcome,
    Overdue,
    RefundOutcome,
    RefundSucceeded,
    ReplacementShipment,
    ReturnShipment,
    Unknown,
)
from rma.testing.core_harness import START
from tests.world import OUTBOUND_OPTION, REASONS, RETURN_OPTION

Result = (
    RefundOutcome
    | ChargeOutcome
    | ReturnShipment
    | ReplacementShipment
    | OutOfStock
    | Done
    | Unknown
    | GivenUp
    | NoRoom
    | Overdue
)


def usd(amount: int) -> Money:
    """Returns this many US cents."""
    return Money(amount, "usd")


def line(item_id: str = "mug", quantity: int = 2, price: int = 1000, **more: Any) -> LineItem:
    """Returns a line; all of its units are fulfilled unless `more` says otherwise."""
    fields: dict[str, Any] = {"fulfilled_quantity": quantity, "variant_id": f"v_{item_id}", **more}
    return LineItem(id=item_id, quantity=quantity, unit_price=usd(price), **fields)


def order_of(*lines: LineItem, captured: int | None = None, **more: Any) -> Order:
    """
    Returns an order of these lines, or of two mugs at 10.00, with one payment: by default 100.00 captured.
    """
    payments = [Payment(id="pay_1", captured=usd(10_000 if captured is None else captured))]
    fields: dict[str, Any] = {"payments": payments, **more}
    return Order(id="order_1", currency="usd", items=lines or (line(),), **fields)


def request(quantity: int = 2, item_id: str = "mug", **more: Any) -> RequestReturn:
    """Requests a return of units of one line."""
    items = [RequestedItem(item_id=item_id, quantity=quantity)]
    return RequestReturn(order_id="order_1", items=items, **more)


def update(quantity: int = 2, item_id: str = "mug", **more: Any) -> UpdateReturn:
    """Updates the first return to units of one line."""
    items = [RequestedItem(item_id=item_id, quantity=quantity)]
    return UpdateReturn(return_id="ret_1", items=items, **more)


def receive(quantity: int = 2, damaged: int = 0, *, return_id: str = "ret_1", **more: Any) -> ReceiveReturn:
    """Receives mugs, by default for the first return."""
    items = [ReceivedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged)]
    return ReceiveReturn(return_id=return_id, items=items, **more)


class Given:
    """An order and the history of its returns."""

    def __init__(self, order: Order | None = None, policy: ReturnPolicy | None = None) -> None:
        self.order: Order | None = order or order_of()
        self.policy = policy or ReturnPolicy()
        self.now: datetime = START
        self.options = {option.id: option for option in (RETURN_OPTION, OUTBOUND_OPTION)}
        self.books_shipments = True
        self.disposes = self.sends_back = self.has_holds = True
        self.gives_credit = self.pays_out = True
        self.reserves = False
        self.catalogue: tuple[ReturnReason, ...] = REASONS
        self.ledger = ReturnLedger("order_1")
        self.history: list[Event] = []
        self.commands: list[Command] = []

    def facts(self, command: Command) -> Facts:
        """Returns the facts that a handler would gather for the command."""
        option: ShippingOption | None = None
        if isinstance(command, Request | UpdateReturn) and command.shipping_option_id is not None:
            option = self.options.get(command.shipping_option_id)
        alone = [claim for claim in self.ledger.claims if claim.return_id is None]
        return Facts(
            at=self.now,
            order=self.order,
            fresh_id=str(len(self.ledger.returns) + len(alone) + 1),
            reasons=self.catalogue,
            shipping_option=option,
            policy=self.policy,
            books_shipments=self.books_shipments,
            disposes=self.disposes,
            sends_back=self.sends_back,
            gives_credit=self.gives_credit,
            pays_out=self.pays_out,
            has_holds=self.has_holds,
            reserves=self.reserves,
        )

    def when(self, command: Command) -> tuple[Event, ...]:
        """Handles the command and returns the events that it recorded."""
        self.now += timedelta(minutes=1)
        made = apply_command(self.facts(command), self.ledger, command)
        self.ledger = made.ledger
        self.history += made.events
        self.commands.append(command)
        return made.events

    def record_outcomes(self, *outcomes: tuple[str, Result]) -> tuple[Event, ...]:
        """Records outcomes of effects, each given with the key of its effect, and returns the events."""
        self.now += timedelta(minutes=1)
        made = apply_outcomes(self.ledger, [Outcome(key, result) for key, result in outcomes], self.now)
        self.ledger = made.ledger
        self.history += made.events
        return made.events

    def record_overdue(self, return_id: str = "ret_1") -> tuple[Event, ...]:
        """Records that the last day for the goods of a return is over, and returns the events."""
        made = apply_overdue(self.ledger, return_id, self.now)
        self.ledger = made.ledger
        self.history += made.events
        return made.events

    def all_delivered(self) -> None:
        """Records a success for every open effect, until none is open."""
        while keys := [key for key, effect in self.ledger.open_effects.items()]:
            results: list[tuple[str, Result]] = []
            for key in keys:
                if "-refund-" in key:
                    results.append((key, RefundSucceeded(f"re_{key}")))
                elif "-shipment-" in key:
                    results.append((key, ReturnShipment({"label": key})))
                elif "-charge-" in key:
                    results.append((key, ChargeSucceeded(f"ch_{key}")))
                elif "-replacement-" in key:
                    results.append((key, ReplacementShipment({"label": key})))
                else:
                    results.append((key, Done()))
            self.record_outcomes(*results)

    def refuses(self, command: Command) -> Rejected:
        """Returns the refusal of the command, and asserts that the ledger did not change."""
        before = self.ledger
        with pytest.raises(Rejected) as error:
            apply_command(self.facts(command), self.ledger, command)
        assert self.ledger == before
        return error.value

    def codes(self, command: Command) -> list[str]:
        """Returns the codes of the violations that the command is refused for."""
        return [violation.code for violation in self.refuses(command).violations]

    def the(self, return_id: str = "ret_1") -> Return:
        """Returns the return of this id, and asserts that the history rebuilds the ledger."""
        assert replay("order_1", self.history) == self.ledger
        return self.ledger.get(return_id)


def names_and_amounts(ret: Return | Claim) -> dict[str, int]:
    """Returns the amounts of the top level of the breakdown by name, in minor units."""
    return {part.name: part.amount.amount for part in ret.breakdown}


def effect_kinds(ledger: ReturnLedger) -> list[str]:
    """Returns the keys of the open effects without the id that they begin with."""
    return ["-".join(key.rsplit("-", 2)[1:]) for key in ledger.open_effects]


def vat(rate: str, **more: Any) -> list[TaxLine]:
    """Returns one tax line of this rate."""
    return [TaxLine(Decimal(rate), **more)]


def off(*amounts: int) -> list[Adjustment]:
    """Returns discounts of these amounts."""
    return [Adjustment(usd(amount)) for amount in amounts]


def put(given: Given, **changes: Any) -> None:
    """Replaces fields of the order, as an edit by the host does."""
    assert given.order is not None
    given.order = evolve(given.order, **changes)


def keys_of(items: Iterable[object]) -> list[str]:
    """Returns the keys of these items."""
    return [getattr(item, "key", "") for item in items]
