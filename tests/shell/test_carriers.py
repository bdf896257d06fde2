"""Carriers of every class: no label is bought twice, and none is forgotten."""

from datetime import timedelta

import pytest
from attrs import evolve

from rma import CancelReturn, InvalidValue, NotIdempotent, Searchable
from rma.domain.messages.gateways import lease_of
from rma.observing import AttentionNeeded, EffectFailed
from rma.testing.faults import Crashed
from tests.shell.adapters import Carrier, SearchedCarrier
from tests.shell.shop import DAY, HOUR, KINDS, LABEL, MINUTE, Shop

sent = pytest.mark.parametrize("kind", ["shipment", "exchange", "claim"])


def raise_time_out(key: str) -> None:
    """Raises TimeoutError."""
    raise TimeoutError("30 s")


def die(key: str) -> None:
    """Ends the process."""
    raise Crashed("during a call")


def heal(shop: Shop) -> None:
    """The carrier answers again."""
    shop.carrier.before = shop.carrier.after = lambda _: None


def failed(carrier: Carrier, kind: str, fails: str) -> tuple[Shop, str, str]:
    """A shop whose carrier raised before or after it acted; the key, and the id of its owner."""
    shop = Shop(carrier=carrier)
    key, before, last = KINDS[kind]
    shop.handle_all(*before)
    setattr(shop.carrier, fails, raise_time_out)
    shop.service.handle(evolve(last, idempotency_key="k"))
    heal(shop)
    return shop, key, key.split("-", maxsplit=1)[0]


@sent
@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_carrier_without_keys_that_raises_is_left_to_a_person(kind: str, fails: str) -> None:
    """The effect is stopped and needs attention; no timer and no repeated command sends it again."""
    shop, key, owner_id = failed(Carrier(NotIdempotent()), kind, fails)

    for _ in range(3):
        shop.pass_time(DAY)
        shop.service.resume()
        shop.service.resume(owner_id)
        shop.service.handle(evolve(KINDS[kind][2], idempotency_key="k"))

    effect = shop.ledger.open_effects[key]
    owner = shop.ledger.subject(owner_id)
    assert shop.carrier.asked.count(key) == 1
    assert (effect.delivery.is_stopped, effect.delivery.last_error) == (True, "TimeoutError: 30 s")
    assert (owner.needs_attention, owner.stuck_effects) == (True, (key,))
    assert shop.service.resume().orders == ()
    told = [each.reason for each in shop.signals if isinstance(each, AttentionNeeded)]
    assert told == ["effect_stuck"]
    assert len([each for each in shop.signals if isinstance(each, EffectFailed)]) == 1


@sent
def test_a_person_has_it_sent_once_more(kind: str) -> None:
    """`resume(id, stopped=True)` sends it, and only this once."""
    shop, key, owner_id = failed(Carrier(NotIdempotent()), kind, "before")
    shop.pass_time(HOUR)

    resumed = shop.service.resume(owner_id, stopped=True)
    again = shop.service.resume(owner_id, stopped=True)

    assert (resumed.orders, resumed.still_open, again.still_open) == (("order_1",), (), ())
    assert shop.carrier.done == [key]
    assert shop.ledger.subject(owner_id).stuck_effects == ()
    assert not shop.ledger.open_effects


def test_what_fails_once_more_is_stopped_once_more() -> None:
    """Each time a person decides, and the observer has a signal."""
    shop, key, owner_id = failed(Carrier(NotIdempotent()), "shipment", "before")
    for _ in range(2):
        shop.carrier.before = raise_time_out
        shop.service.resume(owner_id, stopped=True)
        heal(shop)
        shop.pass_time(DAY)
        shop.service.resume()

    assert shop.carrier.asked == [key] * 3
    assert shop.ledger.subject(owner_id).stuck_effects == (key,)
    assert len([each for each in shop.signals if isinstance(each, AttentionNeeded)]) == 3


def test_a_person_decides_about_one_subject_at_a_time() -> None:
    """`stopped` without an id is refused, and nothing is sent; what belongs to others stays stopped."""
    shop, key, _ = failed(Carrier(NotIdempotent()), "shipment", "before")
    shop.carrier.before = raise_time_out
    shop.handle_all(LABEL)
    heal(shop)

    with pytest.raises(InvalidValue, match=r"resume\.stopped must be the id of one subject with it"):
        shop.service.resume(stopped=True)
    shop.service.resume("ret_1", stopped=True)

    assert shop.carrier.done == [key]
    assert list(shop.ledger.open_effects) == ["ret_2-shipment-1"]


@sent
@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_carrier_that_can_be_searched_is_asked_before_it_is_called_again(kind: str, fails: str) -> None:
    """After the search delay: what is found is recorded, what is not is sent again, under a new lease."""
    carrier = SearchedCarrier(Searchable(HOUR))
    shop, key, owner_id = failed(carrier, kind, fails)

    shop.pass_time(lease_of(carrier.gateway) - MINUTE)
    shop.service.resume()
    early = (list(carrier.searched), carrier.asked.count(key))
    shop.pass_time(MINUTE)
    shop.service.resume()

    assert early == ([], 1)
    assert carrier.searched == [key]
    assert carrier.asked.count(key) == (1 if fails == "after" else 2)
    assert carrier.done.count(key) == 1
    assert not shop.ledger.open_effects
    shipment = shop.ledger.subject(owner_id).shipment
    assert shipment is not None
    assert set(shipment.data.values()) == {carrier.done.index(key) + 1}


@sent
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("gateway", [Searchable(HOUR), NotIdempotent(HOUR)])
def test_a_label_is_bought_once_whenever_a_process_dies(
    kind: str, moment: str, gateway: Searchable | NotIdempotent
) -> None:
    """Before or after the call, with what comes next: a timer, a repeated command, or both at each step."""
    carrier = SearchedCarrier(gateway) if isinstance(gateway, Searchable) else Carrier(gateway)
    shop = Shop(carrier=carrier)
    key, before, last = KINDS[kind]
    shop.handle_all(*before)
    setattr(carrier, moment, die)
    with pytest.raises(Crashed):
        shop.service.handle(evolve(last, idempotency_key="k"))
    heal(shop)

    for _ in range(8):
        shop.pass_time(timedelta(minutes=20))
        carrier.during(shop.timer.resume)
        shop.service.handle(evolve(last, idempotency_key="k"))
        shop.timer.resume()

    is_bought = moment == "after" or isinstance(gateway, Searchable)
    assert carrier.done.count(key) == int(is_bought)
    assert (key in shop.ledger.open_effects) == isinstance(gateway, NotIdempotent)


def test_a_look_up_that_fails_is_repeated_and_backs_off() -> None:
    """It counts as a failed attempt; nothing is sent before the carrier said that it knows of nothing."""

    class Away(SearchedCarrier):
        """A carrier that cannot be asked."""

        def find_shipment(self, key: str) -> None:
            """Raises ConnectionError."""
            self.searched.append(key)
            raise ConnectionError("away")

    carrier = Away(Searchable(MINUTE))
    shop, key, _ = failed(carrier, "shipment", "before")

    for _ in range(60):
        shop.pass_time(MINUTE)
        shop.service.resume()

    assert carrier.asked == [key]
    assert len(carrier.searched) == 6
    assert shop.ledger.get("ret_1").stuck_effects == (key,)


def test_a_cancellation_waits_for_a_booking_that_is_stopped() -> None:
    """What to cancel is unknown; once the label is bought after all, it is canceled at once."""
    shop, key, _ = failed(Carrier(NotIdempotent()), "shipment", "before")
    shop.handle_all(CancelReturn(return_id="ret_1"))
    shop.pass_time(HOUR)
    idle = shop.service.resume()

    shop.service.resume("ret_1", stopped=True)

    assert idle.orders == ()
    assert shop.carrier.done == [key, "ret_1-cancel_shipment-1"]
    assert not shop.ledger.open_effects


def test_a_carrier_that_declares_nothing_is_asked_again() -> None:
    """It knows its keys, as its port demands."""
    shop, key, _ = failed(Carrier(), "shipment", "before")

    shop.pass_time(MINUTE)
    shop.service.resume()

    assert (shop.carrier.asked, shop.carrier.done) == ([key, key], [key])
