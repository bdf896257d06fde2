"""What holds of every exchange whose new goods are sent first, whichever process was faster or was killed."""

from collections.abc import Collection

from rma import ReturnLedger
from rma.domain.messages.effects import effect_key


def check_holds(ledger: ReturnLedger, done: Collection[str]) -> None:
    """
    Asserts that each hold was charged or released, never both, and not charged for goods that are back.

    `done` are the keys of what ports did.
    """
    for exchange in ledger.exchanges:
        charges = {charge.key for charge in exchange.hold_charges}
        charged = {charge.key for charge in exchange.hold_charges if charge.is_in_force}
        items = ledger.get(exchange.return_id).items
        is_back = any(item.arrived_quantity for item in items if not item.is_late)
        assert len(charged) + (exchange.hold_released_at is not None) <= 1, exchange.id
        assert not (charged and is_back), exchange.id
        assert {key for key in done if key.startswith(f"{exchange.id}-charge-")} <= charges
        assert not (charged and effect_key(exchange.id, "release", 1) in done), exchange.id
