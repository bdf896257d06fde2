"""
Converts events of format 1, which repeat the state afterwards, to those of format 2, which say what changed.

What an event changed in the items of a return is found by comparing them with those that the event before
left, so the events of an order are converted together, the oldest first.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rma.adapters.sql.upgrades.upgrade import Documents

#: An object of JSON.
Json = dict[str, Any]

#: Fields of a header that are columns of the row.
_IN_COLUMNS = ("order_id", "revision", "number")

#: Fields of an item that count units.
_UNITS = (
    "received_quantity",
    "damaged_quantity",
    "rejected_quantity",
    "rejected_damaged_quantity",
    "returned_to_customer_quantity",
)


def convert_events(documents: Documents) -> Documents:
    """Returns the documents of an order's events, the oldest first, as format 2 has them."""
    items_of: dict[str, list[Json]] = {}
    return [_convert(document, items_of) for document in documents]


def _convert(  # noqa: C901, PLR0912 # a row for each kind of event
    document: Json, items_of: dict[str, list[Json]]
) -> Json:
    """Converts one event; `items_of` has the items of each return, as the events before left them."""
    event = {**document, "header": _without(document["header"], _IN_COLUMNS)}
    subject_id = event["header"].get("subject_id")
    match event["_type"]:
        case "ReturnRequested":
            items_of[event["opened"]["id"]] = event["opened"]["items"]
        case "GoodsReceived" | "ReturnResolved":
            after = event["items"]
            event = _with_change(_without(event, ("location_id",)), event)
            event["items"] = _item_changes(items_of[subject_id], after)
            items_of[subject_id] = after
            if "receipt" in event:
                event["receipt"] = _receipt(event["receipt"], after)
        case "RefundRetried":
            event = _with_change(event, event)
        case "ReturnCanceled":
            items_of[subject_id] = [_without(item, _UNITS[:2]) for item in items_of[subject_id]]
        case "ExchangeRequested":
            event["opened"] = event.pop("exchange")
        case "ExchangeReceived":
            exchange = event.pop("exchange")
            event |= {name: exchange[name] for name in ("status", "difference_due")}
        case "ExchangePaid":
            event["status"] = event.pop("exchange")["status"]
        case "ExchangeCanceled":
            del event["exchange"]
        case "ClaimRequested":
            event = _without(event, ("refund_keys",))
            event["opened"] = event.pop("claim")
        case "ClaimCompleted" | "ClaimCanceled":
            event = _without(event, ("claim", "refund_keys"))
        case "ClaimRefundRetried" | "ClaimResolved":
            claim = event.pop("claim")
            event = _with_change({**event, "status": claim["status"]}, {**event, **claim})
        case _:
            pass
    return event


def _with_change(event: Json, state: Mapping[str, Any]) -> Json:
    """The event with what it changed in the entitlement, and the refunds that it made only."""
    made = state.get("refund_keys", ())
    entitlement = state["entitlement"]
    refunds = [refund for refund in entitlement.get("refunds", ()) if refund["key"] in made]
    return {**_without(event, ("refund_keys",)), "entitlement": {**entitlement, "refunds": refunds}}


def _item_changes(before: list[Json], after: list[Json]) -> Json:
    changed = [
        (index, item) for index, item in enumerate(after) if index >= len(before) or item != before[index]
    ]
    return {
        "units": [
            {"index": index, **{name: item[name] for name in _UNITS if name in item}}
            for index, item in changed
            if item.get("is_requested", True)
        ],
        "unrequested": [item for _, item in changed if not item.get("is_requested", True)],
    }


def _receipt(receipt: Json, items: list[Json]) -> Json:
    """The receipt with the variants of its items, and the key of the restock in place of the request."""
    variants = {item["item_id"]: item["line"].get("variant_id") for item in items}
    found = _without(receipt, ("restock",))
    found["items"] = [{**item, "variant_id": variants.get(item["item_id"])} for item in receipt["items"]]
    if restock := receipt.get("restock"):
        found["restock_key"] = restock["key"]
    return found


def _without(document: Mapping[str, Any], names: Iterable[str]) -> Json:
    left_out = set(names)
    return {name: value for name, value in document.items() if name not in left_out}
