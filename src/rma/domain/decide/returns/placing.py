"""Where the units of a return go by an inspection: what each port is asked for, once."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from rma.domain.messages.effects import (
    DisposeRequest,
    RestockRequest,
    SendBackRequest,
    StockLine,
    WithdrawRequest,
    effect_key,
)
from rma.domain.sale.grades import HOLD
from rma.domain.state.graded_units import GradedUnits
from rma.domain.state.inspection import InspectionRequest
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


@frozen
class Destination:
    """Where units are. `disposition` is None for stock: that is the same, whatever it is called."""

    disposition: str | None
    location_id: str | None


#: By place and item id, how many units.
Places = dict[tuple[Destination, str], int]


def requests_between(target: Return, items: Sequence[ReturnItem]) -> tuple[InspectionRequest, ...]:
    """What ports are asked for where the items of the return become these: the differences, by place."""
    before, after = _places(target.items), _places(items)
    variants = {item.item_id: item.line.variant_id for item in items}
    arriving: dict[Destination, list[StockLine]] = {}
    leaving: list[tuple[Destination, str, int]] = []
    for place, item_id in sorted({**before, **after}, key=_order):
        change = after.get((place, item_id), 0) - before.get((place, item_id), 0)
        if change > 0:
            arriving.setdefault(place, []).append(StockLine(item_id, variants[item_id], change))
        elif change < 0 and place.disposition is None:
            leaving.append((place, item_id, -change))
    back = _returned(target.items, items, variants)
    return (
        *_withdrawals(target, leaving),
        *_restocks(target, arriving),
        *_disposals(target, arriving),
        *_send_backs(target, back),
    )


def withdrawals_between(target: Return, items: Sequence[ReturnItem]) -> tuple[WithdrawRequest, ...]:
    """What is taken out of the stock of inspections where the items of the return become these."""
    found = [each for each in requests_between(target, items) if isinstance(each, WithdrawRequest)]
    return tuple(found)


def _places(items: Iterable[ReturnItem]) -> Places:
    places: Places = {}
    for item in items:
        for each in item.graded:
            if not each.is_returned and (each.is_restocked or each.disposition != HOLD):
                key = _place(each), item.item_id
                places[key] = places.get(key, 0) + each.quantity
    return places


def _place(units: GradedUnits) -> Destination:
    return Destination(None if units.is_restocked else units.disposition, units.location_id)


def _order(key: tuple[Destination, str]) -> tuple[str, str, str]:
    place, item_id = key
    return place.disposition or "", place.location_id or "", item_id


def _returned(
    before: Iterable[ReturnItem], after: Iterable[ReturnItem], variants: Mapping[str, str | None]
) -> tuple[StockLine, ...]:
    quantities: dict[str, int] = {}
    for sign, items in ((-1, before), (1, after)):
        for item in items:
            quantities[item.item_id] = quantities.get(item.item_id, 0) + sign * item.graded_back_quantity
    return tuple(
        [
            StockLine(item_id, variants[item_id], quantity)
            for item_id, quantity in quantities.items()
            if quantity
        ]
    )


def _withdrawals(
    target: Return, leaving: Iterable[tuple[Destination, str, int]]
) -> tuple[WithdrawRequest, ...]:
    """What is taken out of stock again: of what was put there by inspections, the latest first."""
    earlier = [each for inspection in target.inspections for each in inspection.withdrawals]
    withdrawn = [(each.restock_key, each.lines) for each in earlier]
    withdrawn += [(each.restock_key, each.lines) for each in target.withdrawals]  # by corrections
    lines: dict[str, list[StockLine]] = {}
    restocks = [each for inspection in target.inspections for each in inspection.restocks]
    for place, item_id, quantity in leaving:
        left = quantity
        for restock in reversed(restocks):
            line = next((each for each in restock.lines if each.item_id == item_id), None)
            if line is None or restock.location_id != place.location_id or not left:
                continue
            gone = sum(
                [
                    each.quantity
                    for restock_key, lines_of_withdrawal in withdrawn
                    if restock_key == restock.key
                    for each in lines_of_withdrawal
                    if each.item_id == item_id
                ]
            )
            units = min(left, line.quantity - gone)
            if units:
                left -= units
                lines.setdefault(restock.key, []).append(StockLine(item_id, line.variant_id, units))
    locations = {restock.key: restock.location_id for restock in restocks}
    return tuple(
        [
            WithdrawRequest(
                key=effect_key(target.id, "recall", len(earlier) + number),
                order_id=target.order_id,
                return_id=target.id,
                location_id=locations[restock_key],
                lines=tuple(of_restock),
                restock_key=restock_key,
            )
            for number, (restock_key, of_restock) in enumerate(lines.items(), start=1)
        ]
    )


def _restocks(target: Return, arriving: Mapping[Destination, list[StockLine]]) -> tuple[RestockRequest, ...]:
    places = [(place, lines) for place, lines in arriving.items() if place.disposition is None]
    earlier = len(target.restocks)
    return tuple(
        [
            RestockRequest(
                key=effect_key(target.id, "restock", earlier + number),
                order_id=target.order_id,
                return_id=target.id,
                location_id=place.location_id,
                lines=tuple(lines),
            )
            for number, (place, lines) in enumerate(places, start=1)
        ]
    )


def _disposals(target: Return, arriving: Mapping[Destination, list[StockLine]]) -> tuple[DisposeRequest, ...]:
    earlier = _count(target, DisposeRequest)
    requests: list[DisposeRequest] = []
    for place, lines in arriving.items():
        if place.disposition is not None:
            request = DisposeRequest(
                key=effect_key(target.id, "dispose", earlier + len(requests) + 1),
                order_id=target.order_id,
                return_id=target.id,
                location_id=place.location_id,
                lines=tuple(lines),
                disposition=place.disposition,
            )
            requests.append(request)
    return tuple(requests)


def _send_backs(target: Return, lines: tuple[StockLine, ...]) -> tuple[()] | tuple[SendBackRequest]:
    if not lines:
        return ()
    return (
        SendBackRequest(
            key=effect_key(target.id, "sendback", target.send_backs + 1),
            order_id=target.order_id,
            return_id=target.id,
            location_id=target.location_id,
            lines=lines,
        ),
    )


def _count(target: Return, kind: type[InspectionRequest]) -> int:
    requests = [each for inspection in target.inspections for each in inspection.requests]
    return sum([isinstance(each, kind) for each in requests])
