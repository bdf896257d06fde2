"""The contracts of payments, stock, carriers and publishers catch adapters that are wrong."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from attrs import evolve

from rma import (
    CancelShipmentRequest,
    Event,
    EventPublisher,
    Fulfillment,
    Inventory,
    Money,
    Payments,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    Unkeyed,
    WithdrawRequest,
)
from rma.domain.effects import StockLine
from rma.testing.contracts import (
    EventPublisherContract,
    FulfillmentContract,
    InventoryContract,
    PaymentsContract,
    RefundLookupContract,
)
from tests.testing.breaking import breaks, laws_of


class WrongPayments:
    """A gateway that would be right but for one thing; it closed the card that is asked for 6.66."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.answers: dict[str, RefundOutcome] = {}

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The first answer to this key."""
        if request.key not in self.answers:
            self.answers[request.key] = self.pay(request)
        return self.answers[request.key]

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Money moves, unless the card is closed."""
        if request.amount.amount == 666:
            return RefundDeclined("card_closed")
        self.made[request.key] += 1
        return RefundSucceeded(f"re_{sum(self.made.values())}")

    def find_refund(self, key: str) -> RefundOutcome | None:
        """Its answer."""
        return self.answers.get(key)


class PaysTwice(WrongPayments):
    """Knows no keys, and does not say so."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Pays."""
        return self.pay(request)


class PaysNothing(WrongPayments):
    """Says yes, and does nothing."""

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Nothing."""
        return RefundSucceeded("re_0")


class SaysSomethingElse(WrongPayments):
    """Pays once, and answers a repeat with an error of the gateway's."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """A refusal the second time."""
        if request.key in self.answers:
            return RefundDeclined("duplicate")
        return super().refund(request)


class ComparesRequests(WrongPayments):
    """The same request is the same refund, and another request under its key is another."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """By key and amount."""
        key = f"{request.key} {request.amount}"
        if key not in self.answers:
            self.answers[key] = self.pay(request)
        return self.answers[key]


class OverwritesRequests(WrongPayments):
    """Another request under a key is not done, but takes its place."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Says that it was done."""
        first = super().refund(request)
        self.answers[request.key] = RefundSucceeded(f"re_{request.amount}")
        return first


class IgnoresKeys(WrongPayments):
    """An equal amount of the same payment is the same refund, as some gateways guess."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """By payment and amount."""
        return super().refund(evolve(request, key=f"{request.payment_id} {request.amount}"))


class LooksThenPays(WrongPayments):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """All look before one of them pays."""
        if request.key not in self.answers:
            self._looked.wait(timeout=5)
            self.answers[request.key] = self.pay(request)
        return self.answers[request.key]


class TriesRefusedOnesAgain(WrongPayments):
    """A refusal is not kept: the same key may pay tomorrow."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The card was opened meanwhile."""
        if isinstance(self.answers.get(request.key), RefundDeclined):
            return self.pay(evolve(request, amount=Money(1, "usd")))
        return super().refund(request)


class RefusesAndPays(WrongPayments):
    """Calls a time-out a refusal: the money left."""

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Both."""
        super().pay(evolve(request, amount=Money(1, "usd")))
        return RefundDeclined("timeout") if request.amount.amount == 666 else RefundSucceeded("re_1")


class RaisesRefusals(WrongPayments):
    """A refusal is a value, not an error."""

    def pay(self, request: RefundRequest) -> RefundOutcome:
        """Raises."""
        answer = super().pay(request)
        if isinstance(answer, RefundDeclined):
            raise ConnectionRefusedError(answer.code)
        return answer


class FindsEverything(WrongPayments):
    """A search that does not look at the key."""

    def find_refund(self, key: str) -> RefundOutcome | None:
        """Any."""
        return next(iter(self.answers.values()), None)


class PaysWhenAsked(WrongPayments):
    """Looking makes the refund."""

    def find_refund(self, key: str) -> RefundOutcome | None:
        """Pays."""
        self.made[key] += 1
        return self.answers.get(key)


class FindsNothing(WrongPayments):
    """A search in the wrong account."""

    def find_refund(self, key: str) -> RefundOutcome | None:
        """Never."""
        return None


class FindsUnderAnotherName(WrongPayments):
    """The reference of a search is not the reference of the answer."""

    def find_refund(self, key: str) -> RefundOutcome | None:
        """By its key."""
        return RefundSucceeded(key) if key in self.answers else None


def held_payments(adapter: type[WrongPayments]) -> type[PaymentsContract]:
    """The contract, with this adapter held against it."""

    class Held(PaymentsContract):
        def make(self) -> Payments:
            self.payments = adapter()
            return self.payments

        def refunds_made(self, key: str) -> int:
            return self.payments.made[key]

        def declined_request(self, key: str) -> RefundRequest:
            return evolve(self.request(key), amount=Money(666, "usd"))

    return Held


def held_lookup(adapter: type[WrongPayments]) -> type[RefundLookupContract]:
    """The contract of look-ups, with this adapter held against it."""

    class Held(RefundLookupContract):
        def make(self) -> WrongPayments:
            self.payments = adapter()
            return self.payments

        def refunds_made(self, key: str) -> int:
            return self.payments.made[key]

    return Held


PAYMENTS = [
    (PaysNothing, "a_refund_that_is_asked_for_is_made"),
    (PaysTwice, "a_repeated_key_makes_no_second_refund_and_gives_the_first_answer"),
    (SaysSomethingElse, "a_repeated_key_makes_no_second_refund_and_gives_the_first_answer"),
    (ComparesRequests, "another_request_under_the_same_key_is_not_done"),
    (OverwritesRequests, "another_request_under_the_same_key_is_not_done"),
    (IgnoresKeys, "two_keys_are_two_refunds"),
    (LooksThenPays, "a_key_that_is_sent_twice_at_once_makes_one_refund"),
    (TriesRefusedOnesAgain, "a_refusal_moves_no_money_and_is_repeated"),
    (RefusesAndPays, "a_refusal_moves_no_money_and_is_repeated"),
    (RaisesRefusals, "a_refusal_moves_no_money_and_is_repeated"),
]
LOOKUPS = [
    (FindsEverything, "a_refund_that_was_not_made_is_not_found"),
    (PaysWhenAsked, "a_refund_that_was_not_made_is_not_found"),
    (FindsNothing, "a_refund_that_was_made_is_found"),
    (FindsUnderAnotherName, "a_refund_that_was_made_is_found"),
]


@pytest.mark.parametrize(("wrong", "law"), PAYMENTS)
def test_a_wrong_gateway_breaks_the_law_that_is_about_it(wrong: type[WrongPayments], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_payments(wrong), law)
    assert law.endswith("once_makes_one_refund") or not breaks(held_payments(WrongPayments), law)


def test_a_gateway_that_knows_no_keys_and_says_so_keeps_every_law() -> None:
    """What is promised about repeats is not asked of it."""

    class SaysSo(PaysTwice):
        gateway = Unkeyed()

    assert not [law for law in laws_of(PaymentsContract) if breaks(held_payments(SaysSo), law)]


@pytest.mark.parametrize(("wrong", "law"), LOOKUPS)
def test_a_wrong_lookup_breaks_the_law_that_is_about_it(wrong: type[WrongPayments], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_lookup(wrong), law)
    assert not breaks(held_lookup(WrongPayments), law)


class WrongInventory:
    """Stock that would be right but for one thing."""

    def __init__(self) -> None:
        self.on_hand: Counter[str] = Counter()
        self.done: set[str] = set()

    def restock(self, request: RestockRequest) -> None:
        """Once for the key."""
        if self.is_new(request):
            self.done.add(request.key)
            self.move(request.lines, 1)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Once for the key."""
        if self.is_new(request):
            self.done.add(request.key)
            self.move(request.lines, -1)

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """By its key."""
        return request.key not in self.done

    def move(self, lines: tuple[StockLine, ...], sign: int) -> None:
        """In or out."""
        for line in lines:
            self.on_hand[line.item_id] += sign * line.quantity


class MergesLines(WrongInventory):
    """Two lines of one item overwrite each other."""

    def move(self, lines: tuple[StockLine, ...], sign: int) -> None:
        """The last one counts."""
        super().move(tuple({line.item_id: line for line in lines}.values()), sign)


class IgnoresStockKeys(WrongInventory):
    """Moves stock with every call."""

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """Always."""
        return True


class RestocksOnceForAReturn(WrongInventory):
    """A return of two parcels is restocked once."""

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """By the return."""
        return not any(key.startswith(f"{request.return_id}/restock") for key in self.done)


class RepeatsWithdrawals(WrongInventory):
    """Only restocks look at their key."""

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """Unless it is a restock."""
        return isinstance(request, WithdrawRequest) or super().is_new(request)


class NeverWithdraws(WrongInventory):
    """Goods that left are still for sale."""

    def withdraw(self, request: WithdrawRequest) -> None:
        """Nothing."""


class ComparesStockRequests(WrongInventory):
    """Another request under a key is another movement."""

    def restock(self, request: RestockRequest) -> None:
        """By its lines."""
        super().restock(evolve(request, key=f"{request.key} {request.lines}"))


class LooksThenMoves(WrongInventory):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """All look before one of them moves."""
        is_new = super().is_new(request)
        if is_new:
            self._looked.wait(timeout=5)
        return is_new


def held_inventory(adapter: type[WrongInventory]) -> type[InventoryContract]:
    """The contract, with this adapter held against it."""

    class Held(InventoryContract):
        def make(self) -> Inventory:
            self.inventory = adapter()
            return self.inventory

        def on_hand(self, item_id: str) -> int:
            return self.inventory.on_hand[item_id]

    return Held


INVENTORY = [
    (MergesLines, "a_restock_adds_its_units"),
    (IgnoresStockKeys, "a_repeated_restock_adds_nothing"),
    (RestocksOnceForAReturn, "two_keys_are_two_restocks"),
    (NeverWithdraws, "a_withdrawal_takes_out_what_was_put_in"),
    (RepeatsWithdrawals, "a_repeated_withdrawal_takes_nothing"),
    (ComparesStockRequests, "another_request_under_the_same_key_moves_nothing"),
    (RepeatsWithdrawals, "another_request_under_the_same_key_moves_nothing"),
    (LooksThenMoves, "a_key_that_is_sent_twice_at_once_moves_stock_once"),
]


@pytest.mark.parametrize(("wrong", "law"), INVENTORY)
def test_wrong_stock_breaks_the_law_that_is_about_it(wrong: type[WrongInventory], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_inventory(wrong), law)
    assert law.endswith("moves_stock_once") or not breaks(held_inventory(WrongInventory), law)


class WrongCarrier:
    """A carrier that would be right but for one thing."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.labels: dict[str, ReturnShipment] = {}
        self.canceled: set[str] = set()

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """The first answer to this key."""
        if request.key not in self.labels:
            self.labels[request.key] = self.book(request)
        return self.labels[request.key]

    def book(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A label."""
        self.made[request.key] += 1
        return ReturnShipment({"label": sum(self.made.values())})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Once or more often."""
        self.canceled.add(request.shipment_key)


class BooksNothing(WrongCarrier):
    """A label for a parcel that nobody fetches."""

    def book(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Only says so."""
        return ReturnShipment({"label": 0})


class BooksTwice(WrongCarrier):
    """Knows no keys."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A label each time."""
        return self.book(request)


class AnswersRepeatsWithoutTheLabel(WrongCarrier):
    """Whose first answer was lost has no label."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """The second time: nothing."""
        return ReturnShipment() if request.key in self.labels else super().book_return(request)


class BooksOnceForAReturn(WrongCarrier):
    """Two shipments of one return are one."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """By the return."""
        return super().book_return(evolve(request, key=request.return_id))


class ComparesShipments(WrongCarrier):
    """Another request under a key is another shipment."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """By its lines."""
        if request.lines != (StockLine("mug", "v_mug", 2),):
            return self.book(request)
        return super().book_return(request)


class CancelsNothing(WrongCarrier):
    """Says yes, and does nothing."""

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Nothing."""


class CancelsEverything(WrongCarrier):
    """Every shipment of the return is gone."""

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """All."""
        self.canceled.update(self.labels)


class RaisesForWhatIsGone(WrongCarrier):
    """What is canceled can not be canceled, it says."""

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Raises the second time."""
        if request.shipment_key in self.canceled:
            raise LookupError(request.shipment_key)
        super().cancel_return(request)


class BooksWhatIsCanceledAgain(WrongCarrier):
    """A repeat after a cancellation sends somebody to fetch the parcel."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """As if it were new."""
        if request.key in self.canceled:
            self.canceled.remove(request.key)
        return super().book_return(request)


class LooksThenBooks(WrongCarrier):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def book(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """All look before one of them books."""
        self._looked.wait(timeout=5)
        return super().book(request)


def held_carrier(adapter: type[WrongCarrier]) -> type[FulfillmentContract]:
    """The contract, with this adapter held against it."""

    class Held(FulfillmentContract):
        def make(self) -> Fulfillment:
            self.carrier = adapter()
            return self.carrier

        def bookings_made(self, key: str) -> int:
            return self.carrier.made[key]

        def is_canceled(self, key: str) -> bool:
            return key in self.carrier.canceled

    return Held


CARRIERS = [
    (BooksNothing, "a_shipment_that_is_asked_for_is_booked"),
    (BooksTwice, "a_repeated_key_books_nothing_and_gives_the_first_answer"),
    (AnswersRepeatsWithoutTheLabel, "a_repeated_key_books_nothing_and_gives_the_first_answer"),
    (BooksOnceForAReturn, "two_keys_are_two_shipments"),
    (ComparesShipments, "another_request_under_the_same_key_is_not_booked"),
    (CancelsNothing, "a_canceled_shipment_is_canceled"),
    (CancelsEverything, "a_canceled_shipment_is_canceled"),
    (RaisesForWhatIsGone, "a_repeated_cancellation_is_harmless"),
    (BooksWhatIsCanceledAgain, "a_repeated_booking_does_not_undo_a_cancellation"),
    (LooksThenBooks, "a_key_that_is_sent_twice_at_once_books_one_shipment"),
]


@pytest.mark.parametrize(("wrong", "law"), CARRIERS)
def test_a_wrong_carrier_breaks_the_law_that_is_about_it(wrong: type[WrongCarrier], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_carrier(wrong), law)
    assert law.endswith("books_one_shipment") or not breaks(held_carrier(WrongCarrier), law)


class WrongPublisher:
    """A channel that would be right but for one thing."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def publish(self, event_id: str, event: Event) -> None:
        """Hand on."""
        self.ids.append(event_id)


class DropsKindsItDoesNotKnow(WrongPublisher):
    """A table of kinds that nobody kept up to date."""

    def publish(self, event_id: str, event: Event) -> None:
        """Requests only."""
        if type(event).__name__ == "ReturnRequested":
            super().publish(event_id, event)


class PublishesNewestFirst(WrongPublisher):
    """A stack, not a queue."""

    def publish(self, event_id: str, event: Event) -> None:
        """In front."""
        self.ids.insert(0, event_id)


class NumbersAnew(WrongPublisher):
    """Every message has an id of its own, and a repeat can not be known."""

    def publish(self, event_id: str, event: Event) -> None:
        """Its own number."""
        super().publish(str(len(self.ids)), event)


class RefusesRepeats(WrongPublisher):
    """What came before is an error, and is then tried for ever."""

    def publish(self, event_id: str, event: Event) -> None:
        """Raises."""
        if event_id in self.ids:
            raise KeyError(event_id)
        super().publish(event_id, event)


def held_publisher(adapter: type[WrongPublisher]) -> type[EventPublisherContract]:
    """The contract, with this adapter held against it."""

    class Held(EventPublisherContract):
        def make(self) -> EventPublisher:
            self.publisher = adapter()
            return self.publisher

        def handed_on(self) -> Sequence[str]:
            return self.publisher.ids

    return Held


PUBLISHERS = [
    (DropsKindsItDoesNotKnow, "every_event_is_handed_on_under_its_id_and_in_order"),
    (PublishesNewestFirst, "every_event_is_handed_on_under_its_id_and_in_order"),
    (NumbersAnew, "an_event_that_comes_again_keeps_its_id"),
    (RefusesRepeats, "an_event_that_comes_again_keeps_its_id"),
]


@pytest.mark.parametrize(("wrong", "law"), PUBLISHERS)
def test_a_wrong_publisher_breaks_the_law_that_is_about_it(wrong: type[WrongPublisher], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_publisher(wrong), law)
    assert not breaks(held_publisher(WrongPublisher), law)


@pytest.mark.parametrize(
    ("contract", "caught"),
    [
        (PaymentsContract, PAYMENTS),
        (RefundLookupContract, LOOKUPS),
        (InventoryContract, INVENTORY),
        (FulfillmentContract, CARRIERS),
        (EventPublisherContract, PUBLISHERS),
    ],
)
def test_every_law_of_ports_that_act_catches_something(
    contract: type, caught: Sequence[tuple[Callable[[], object], str]]
) -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in caught} == laws_of(contract)
