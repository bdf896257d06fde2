"""The laws of ids and keys: every gateway takes them, and a restored store asks under the same ones."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from uuid import RFC_4122, UUID

from hypothesis import assume, example, given
from hypothesis import strategies as st

from rma import (
    ClaimItem,
    Command,
    Idempotent,
    LineItem,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RequestClaim,
    RequestedItem,
    RequestReturn,
)
from rma.adapters.memory import InMemoryReturns, in_memory_service
from rma.domain.change import Change
from rma.domain.messages.effects import RefundRequest, effect_key
from rma.domain.react import react
from rma.shell.ids import derive_id, sortable_id
from rma.testing.core_harness import START, Flow
from rma.testing.gateways import simulated_payments
from rma.testing.strategies import flows

#: Few characters, digits and the separator among them, so that pairs often read alike.
short_texts = st.text("1:a", max_size=4)
texts = st.one_of(short_texts, st.text(st.characters(), max_size=300))
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
moments = st.datetimes(timezones=st.just(UTC))


@given(flow=flows())
def test_every_key_fits_any_gateway(flow: Flow) -> None:
    """Letters, digits, `_` and `-`; a refund's has 45 characters at most; no key names two effects."""
    effects = [effect for change in flow for event in change.events for effect in react(event)]

    assert all(
        set(effect.key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
        for effect in effects
    )
    assert all(len(effect.key) <= 45 for effect in effects if isinstance(effect, RefundRequest))
    assert len({effect.key for effect in effects}) == len(effects)


@given(order_id=texts, key=texts, at=moments)
def test_our_ids_leave_room_for_the_number_of_a_refund(order_id: str, key: str, at: datetime) -> None:
    """26 characters of Crockford's base 32: a claim may have 99999 refunds."""
    for drawn in (derive_id(order_id, key), sortable_id(at)):
        assert len(drawn) == 26
        assert set(drawn) <= set(CROCKFORD)
        assert len(effect_key(f"claim_{drawn}", "refund", 99_999)) <= 45


@given(first=st.tuples(texts, texts), second=st.tuples(texts, texts))
@example(first=("order_1", "2"), second=("order_12", ""))
@example(first=("1:1", ""), second=("1", ":1"))
@example(first=("order_1", "k"), second=("order_2", "k"))
def test_ids_are_the_same_exactly_if_order_and_key_are(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    """Also if both read alike one after the other."""
    assert (derive_id(*first) == derive_id(*second)) == (first == second)


@given(text=st.text("1:a", min_size=1, max_size=6), data=st.data())
def test_where_the_order_ends_and_the_key_begins_matters(text: str, data: st.DataObject) -> None:
    """A string that is cut in two at different places gives different ids."""
    first, second = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True))

    assert derive_id(text[:first], text[first:]) != derive_id(text[:second], text[second:])


@given(steps=st.lists(st.integers(1, 2000) | st.integers(1, 2**45), max_size=50))
def test_ids_sort_by_time(steps: list[int]) -> None:
    """To the microsecond, from a clock that advances with every id."""
    times = [START + timedelta(microseconds=each) for each in accumulate(steps)]
    drawn = [sortable_id(at) for at in times]

    assert drawn == sorted(drawn)
    assert len(set(drawn)) == len(drawn)


@given(at=moments, elsewhere=st.integers(-23, 23))
def test_ids_of_one_moment_differ(at: datetime, elsewhere: int) -> None:
    """Each is a UUIDv7 of that moment, whatever the time zone of the clock."""
    assume(1 < at.year < 9999)
    local = at.astimezone(timezone(timedelta(hours=elsewhere)))
    drawn = [sortable_id(at), sortable_id(local)]

    assert drawn[0] != drawn[1]
    for each in drawn:
        number = 0
        for character in each:
            number = number * 32 + CROCKFORD.index(character)
        uuid = UUID(int=number)
        assert (uuid.version, uuid.variant) == (7, RFC_4122)
        milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        assert number >> 80 == milliseconds % 2**48


class KeptReturns(InMemoryReturns):
    """A repository that can be restored as it was after any of its commits."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []

    def commit(self, change: Change) -> None:
        """Stores the change, and keeps it."""
        super().commit(change)
        self.changes.append(change)

    def restored(self, commits: int) -> "KeptReturns":
        """Returns the repository as it was after so many commits."""
        store = KeptReturns()
        for change in self.changes[:commits]:
            store.commit(change)
        return store


MUG = LineItem(id="mug", quantity=6, fulfilled_quantity=6, unit_price=1000)
ORDER = Order(
    id="order_1",
    currency="usd",
    items=[MUG],
    payments=[Payment(id="pay_1", captured=2500), Payment(id="pay_2", captured=3500)],
)


@st.composite
def keyed_commands(draw: st.DrawFn) -> list[Command]:
    """Draws returns that arrive and claims that are refunded, each command under a key of its own."""
    commands: list[Command] = []
    for number in range(draw(st.integers(1, 3))):
        quantity = draw(st.integers(1, 2))
        if draw(st.booleans()):
            items = [ClaimItem(item_id="mug", quantity=quantity, reason="other")]
            commands.append(
                RequestClaim(
                    order_id="order_1", type="refund", items=items, idempotency_key=f"claim_{number}"
                )
            )
        else:
            commands += [
                RequestReturn(
                    order_id="order_1",
                    items=[RequestedItem(item_id="mug", quantity=quantity)],
                    idempotency_key=f"request_{number}",
                ),
                ReceiveReturn(
                    return_id=f"ret_{derive_id('order_1', f'request_{number}')}",
                    items=[ReceivedItem(item_id="mug", quantity=quantity)],
                    idempotency_key=f"receive_{number}",
                ),
            ]
    return commands


@given(commands=keyed_commands(), data=st.data())
def test_a_restored_store_moves_no_money_again(commands: list[Command], data: st.DataObject) -> None:
    """Restored as it was after any commit, and its commands repeated: the gateway makes each refund once."""
    now = START
    store = KeptReturns()
    payments = simulated_payments(Idempotent(), lambda: now)
    service = in_memory_service([ORDER], returns=store, payments=payments, clock=lambda: now)
    answers = [service.handle(command) for command in commands]
    asked, made = dict(payments.refunds), dict(payments.executions)

    now += timedelta(days=1)
    restored = store.restored(data.draw(st.integers(0, len(store.changes)), label="commits"))
    service = in_memory_service([ORDER], returns=restored, payments=payments, clock=lambda: now)
    service.resume()
    again = [service.handle(command) for command in commands]

    assert [each.id for each in again] == [each.id for each in answers]
    assert (payments.refunds, dict(payments.executions)) == (asked, made)
    assert set(made.values()) == {1}
    assert {refund.key for refund in restored.load("order_1").refunds} == set(asked)
