"""What a return's terms take off the value of its goods, or add to it: the way back, fees, and a bonus."""

from collections.abc import Sequence
from typing import assert_never

from attrs import frozen

from rma.domain.sale.bonus import bonus_on
from rma.domain.sale.fees import Fee, FeePer, KeptFee, keep
from rma.domain.sale.policy import Terms
from rma.domain.sale.rules import Goods, WayBack
from rma.domain.state.return_item import ReturnItem

#: What the part of a bonus is called; its own name follows, where all units have the same.
_BONUS = "bonus"


@frozen
class Counted:
    """
    Units of an item of a return that are paid for: how many, and what is paid for them, minor units.

    Attributes:
        corrected_rule: which rule speaks for them because a clerk corrected the reason.
    """

    item: ReturnItem
    quantity: int
    value: int
    corrected_rule: str | None = None

    @property
    def rule(self) -> str | None:
        """The name of the rule that speaks for them; None if none does."""
        return self.item.rule if self.corrected_rule is None else self.corrected_rule


def price_of_way_back(counted: Sequence[Counted], shipping: int, terms: Terms) -> int:
    """
    What the way back costs the customer (minor units), of a price of `shipping`.

    Nothing if one line that comes back is at the merchant's cost: the parcel travels anyway.
    """
    if not shipping or not terms.rules:
        return shipping
    for each in counted:
        rule = terms.rule(each.rule)
        if each.quantity and rule and rule.goods is Goods.BACK and rule.way_back is WayBack.MERCHANT:
            return 0
    return shipping


@frozen
class DueFee:
    """
    A fee on the units of a return.

    Attributes:
        most: how much of it can be kept, minor units: the value of the units it is for. Without rules all.
        items: whose units it is for.
    """

    whole: KeptFee
    most: int
    items: tuple[ReturnItem, ...] = ()

    @property
    def kept(self) -> KeptFee:
        """What is kept of it where the customer can be asked for more than the goods pay."""
        return self.whole.at_most(self.most)

    def limited(self, left: int) -> KeptFee:
        """What is kept of it, of so much that is left."""
        return self.whole.at_most(min(self.most, left))


def fees_of(counted: Sequence[Counted], terms: Terms) -> list[DueFee]:
    """The fees on these units, each name once, in the order of the terms."""
    if not terms.rules:
        if not terms.fees:
            return []
        if any(each.item.is_overruled for each in counted):
            counted = [each for each in counted if each.quantity and not each.item.is_overruled]
            if not counted:
                return []
        items = tuple([each.item for each in counted])
        return [DueFee(fee, fee.amount, items) for fee in _fees(terms.fees, counted)]
    found: dict[str, DueFee] = {}
    for rule in (*terms.rules, *terms.other_rules):
        under = [
            each
            for each in counted
            if each.quantity and each.rule == rule.name and not each.item.is_overruled
        ]
        room = sum([each.value for each in under])
        for fee, more in zip(rule.fees, _fees(rule.fees, under) if under else (), strict=False):
            whole, most, items = more, 0, tuple([each.item for each in under])
            if (before := found.get(fee.name)) is not None:
                is_once = fee.percent is None and fee.per is FeePer.RETURN
                whole = before.whole if is_once else before.whole.plus(more)
                most, items = before.most, before.items + items
            kept = min(room, whole.amount - most, more.amount)
            room -= kept
            found[fee.name] = DueFee(whole, most + kept, items)
    return list(found.values())


def _fees(fees: Sequence[Fee], counted: Sequence[Counted]) -> list[KeptFee]:
    value = sum([each.value for each in counted])
    return [keep(fee, value, _times(fee, counted)) for fee in fees]


def _times(fee: Fee, counted: Sequence[Counted]) -> int:
    match fee.per:
        case FeePer.RETURN:
            return 1
        case FeePer.LINE:
            return len({each.item.item_id for each in counted if each.quantity})
        case FeePer.UNIT:
            return sum([each.quantity for each in counted])
        case _:
            assert_never(fee.per)


@frozen
class DueBonus:
    """What is given on top of goods that pay for new ones, minor units."""

    name: str
    amount: int


def exchange_bonus(counted: Sequence[Counted], terms: Terms, net_value: int) -> DueBonus | None:
    """The bonus for these units, of goods of this value less deductions, towards new goods."""
    shares = []
    for each in counted:
        rule = terms.rule(each.rule)
        shares.append((None if rule is None else rule.bonus, each.value))
    amount = bonus_on(max(0, net_value), shares)
    if not amount:
        return None
    names = {bonus.name for bonus, value in shares if bonus and value}
    return DueBonus(f"{_BONUS}:{names.pop()}" if len(names) == 1 else _BONUS, amount)


def is_bonus(name: str) -> bool:
    """True if the part of this name is a bonus."""
    return name == _BONUS or name.startswith(f"{_BONUS}:")
