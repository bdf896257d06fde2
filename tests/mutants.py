"""
The code, broken on purpose: every mutant below must make a test fail.

Run it by hand: `python -m tests.mutants [a word of their names]`. Each mutant is a copy of the project with
one change; rules and laws run against it. It ends with a line a mutant, and fails if one survives or no
longer fits the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "src/rma/domain/"


@frozen
class Mutant:
    """One change, and what it would do to a shop."""

    harm: str
    path: str
    before: str
    after: str


MUTANTS = [
    Mutant("loses cents: shares are rounded down", DOMAIN + "values/money.py",
           "(twice * amount + of) // double", "(twice * amount) // double"),
    Mutant("loses cents: shares are rounded up", DOMAIN + "values/money.py",
           "(twice * amount + of) // double", "-(-twice * amount // double)"),
    Mutant("half a cent goes down instead of up", DOMAIN + "values/money.py",
           "(2 * numerator + denominator) // (2 * denominator)",
           "(2 * numerator + denominator - 1) // (2 * denominator)"),
    Mutant("lost units of a split go to the first parts", DOMAIN + "values/money.py",
           "sorted(behind, reverse=True)[:missing]", "sorted(behind)[:missing]"),
    Mutant("several discounts on an order favour one line", DOMAIN + "values/money.py",
           "before = given or (0,) * len(weights)", "before = (0,) * len(weights)"),
    Mutant("tax on top is rounded on the running sum", DOMAIN + "values/tax.py",
           "total += percent_of(amount, tax.rate)", "total += percent_of(amount + total, tax.rate)"),
    Mutant("contained tax is taken as if it were on top", DOMAIN + "values/tax.py",
           "whole = 100 * scale + (rates[-1] if rates else 0)", "whole = 100 * scale"),
    Mutant("what was charged does not win over the rate", DOMAIN + "values/tax.py",
           "if tax.amount is not None:\n            total", "if False:\n            total"),
    Mutant("an order's discounts are forgotten", DOMAIN + "sale/pricing.py",
           "discounts += order_shares", "discounts += [0 for _ in order_shares]"),
    Mutant("units that are back without us stay in the pool", DOMAIN + "sale/pricing.py",
           "if item.returned_quantity:", "if False:"),
    Mutant("more than was fulfilled can be returned", DOMAIN + "sale/pricing.py",
           "fulfilled = min(item.fulfilled_quantity, self.ordered_quantity)", "fulfilled = self.ordered_quantity"),
    Mutant("units added later are returnable", DOMAIN + "sale/pricing.py",
           "fulfilled = min(item.fulfilled_quantity, self.ordered_quantity)", "fulfilled = item.fulfilled_quantity"),
    Mutant("what came back without us can be returned again", DOMAIN + "sale/pricing.py",
           "min(fulfilled - item.returned_quantity, self.quantity) - reserved", "min(fulfilled, self.quantity) - reserved"),
    Mutant("open returns do not reserve units", DOMAIN + "state/returns.py",
           "return [(item.item_id, item.allocated_quantity) for item in self.items]", "return [(item.item_id, 0) for item in self.items]"),
    Mutant("a return that closed short keeps what did not come", DOMAIN + "state/returns.py",
           "if self.status is ReturnStatus.RECEIVED:\n            return [", "if False:\n            return ["),
    Mutant("a canceled return keeps its units", DOMAIN + "state/returns.py",
           "return [(item.item_id, 0) for item in self.items]", "return [(item.item_id, item.allocated_quantity) for item in self.items]"),
    Mutant("money on its way is spent twice", DOMAIN + "state/refunds.py",
           "frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED,", "frozenset({RefundStatus.SUCCEEDED,"),
    Mutant("a failed refund keeps its money", DOMAIN + "state/refunds.py",
           "RefundStatus.NEEDS_ATTENTION})", "RefundStatus.NEEDS_ATTENTION, RefundStatus.FAILED})"),
    Mutant("a payment gives back more than its own", DOMAIN + "state/refunds.py",
           "part = min(amount, most)", "part = amount"),
    Mutant("refunds outside are ignored", DOMAIN + "state/ledger.py",
           "payment.id: payment.captured.amount - payment.refunded.amount", "payment.id: payment.captured.amount"),
    Mutant("return shipping is free", DOMAIN + "state/valuation.py",
           'other.append(("return_shipping", -min(shipping, left)))', 'other.append(("return_shipping", 0))'),
    Mutant("return shipping makes a refund negative", DOMAIN + "state/valuation.py",
           "-min(shipping, left)", "-shipping"),
    Mutant("fees make a refund negative", DOMAIN + "state/valuation.py",
           "-min(fee.on(value), left)", "-fee.on(value)"),
    Mutant("a custom amount is paid in full for half the goods", DOMAIN + "state/valuation.py",
           "round_half_up(requested_refund * part, whole) + unrequested", "requested_refund + unrequested"),
    Mutant("damaged units are paid against the terms", DOMAIN + "state/return_item.py",
           "        if refund_damaged:\n", "        if True:\n"),
    Mutant("damaged units go into stock", DOMAIN + "decide/returns/receive.py",
           "for item_id, (good, _) in arrivals.items() if good]", "for item_id, counts in arrivals.items() if (good := sum(counts))]"),
    Mutant("a missing line is no mismatch", DOMAIN + "decide/returns/receive.py",
           "missing = any(item.missing_quantity for item in items)",
           "missing = any(item.missing_quantity for item in items if item.arrived_quantity)"),
    Mutant("something unannounced is no mismatch", DOMAIN + "decide/returns/receive.py",
           "unrequested = not all(item.is_requested for item in items)", "unrequested = False"),
    Mutant("more_expected lets anything in", DOMAIN + "decide/returns/receive.py",
           "if command.more_expected and not unrequested:", "if command.more_expected:"),
    Mutant("each parcel is paid as if it were the first", DOMAIN + "decide/refunds/entitlement.py",
           "pay, rounding = limit_to_refundable(due - target.refunded, refundable, order)", "pay, rounding = limit_to_refundable(due, refundable, order)"),
    Mutant("an amount above what is refundable is cut to it", DOMAIN + "decide/refunds/split.py",
           "if excess > (len(order.items) if order else 0):", "if False:"),
    Mutant("a cent of rounding blocks a refund", DOMAIN + "decide/refunds/split.py",
           "if excess > (len(order.items) if order else 0):", "if excess:"),
    Mutant("more arrives than the customer had", DOMAIN + "decide/returns/receive.py",
           "if good + bad > receivable:", "if good + bad > receivable + 1:"),
    Mutant("the limits hold for each entry of a line, not for their sum", DOMAIN + "decide/returns/request.py",
           "totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity",
           "totals[asked.item_id] = asked.quantity"),
    Mutant("a named refund is not capped", DOMAIN + "decide/violations.py",
           "most is not None and amount > most:", "most is not None and amount > 10**9:"),
    Mutant("categories are reasons", DOMAIN + "decide/returns/request.py",
           "elif reason.id in categories:", "elif False:"),
    Mutant("outbound options bring goods back", DOMAIN + "decide/returns/request.py",
           "elif not option.is_return:", "elif False:"),
    Mutant("what was paid for in part is canceled", DOMAIN + "decide/returns/cancel.py",
           "elif target.was_partially_received or target.entitled_amount:", "elif False:"),
    Mutant("goods of a canceled return stay in stock", DOMAIN + "decide/returns/cancel.py",
           "withdraw_requests=_withdrawals(target)", "withdraw_requests=()"),
    Mutant("a label nobody needs stays booked", DOMAIN + "decide/returns/cancel.py",
           "cancel_request=_cancel_shipment(target)", "cancel_request=None"),
    Mutant("arrived counters survive a cancellation", DOMAIN + "evolve.py",
           "items=tuple([_back_to_nothing(item) for item in before.items]),", ""),
    Mutant("a retry may pay what is already on its way", DOMAIN + "state/returns.py",
           "return Money(max(0, self.entitled_amount - self.refunded), self.currency)",
           "return Money(max(0, self.entitled_amount), self.currency)"),
    Mutant("a retry uses the key of the failed refund", DOMAIN + "decide/refunds/split.py",
           "start=len(target.refunds) + 1", "start=max(1, len(target.refunds))"),
    Mutant("the second restock hides behind the first one's key", DOMAIN + "decide/returns/receive.py",
           'key=f"{target.id}/restock/{earlier + 1}"', 'key=f"{target.id}/restock/1"'),
    Mutant("a repeated request is done again", DOMAIN + "evolve.py",
           "answered=_remembering(ledger.answered, event),", "answered=ledger.answered,"),
    Mutant("a key answers any request", DOMAIN + "decide/idempotency.py",
           "if before.command != command:", "if type(before.command) is not type(command):"),
    Mutant("a time-out closes the effect", DOMAIN + "decide/outcomes.py",
           "return EffectOutcome(key=key, is_open=True, error=error)", "return EffectOutcome(key=key)"),
    Mutant("an outcome that comes twice is settled twice", DOMAIN + "decide/outcomes.py",
           "return EffectOutcome(key=key, refund=known) if is_open or known != refund else None",
           "return EffectOutcome(key=key, refund=known)"),
    Mutant("a cancellation overtakes its booking", DOMAIN + "messages/effects.py",
           "CancelShipmentRequest(shipment_key=key) | WithdrawRequest(restock_key=key)",
           "WithdrawRequest(restock_key=key)"),
    Mutant("a withdrawal overtakes its restock", DOMAIN + "messages/effects.py",
           "CancelShipmentRequest(shipment_key=key) | WithdrawRequest(restock_key=key)",
           "CancelShipmentRequest(shipment_key=key)"),
    Mutant("money moves before stock", DOMAIN + "react.py",
           "return (*restock, *_refund_requests(event))", "return (*_refund_requests(event), *restock)"),
    Mutant("the order's version forgets receipts", DOMAIN + "state/ledger.py",
           "1 + len(each.receipts) +", "1 +"),
    Mutant("a lost race overwrites the winner", "src/rma/adapters/memory.py",
           "if stored != change.expected_revision:", "if stored < change.expected_revision:"),
    Mutant("a lost race is the caller's problem", "src/rma/shell/commit.py",
           "if attempt == ATTEMPTS:", "if True:"),
    Mutant("a port that fails after the commit fails the command", "src/rma/shell/deliver.py",
           "    except Exception as error:\n        if isinstance(effect", "    except ZeroDivisionError as error:\n        if isinstance(effect"),
    Mutant("one failing event is skipped", "src/rma/shell/deliver.py",
           "            through = event.revision - 1\n            break", "            continue"),
    Mutant("an order under an alias is another ledger", DOMAIN + "decide/returns/request.py",
           "if order is None or order.id != order_id:", "if order is None:"),
    Mutant("a unit that came back without us comes back again", DOMAIN + "decide/returns/receive.py",
           "receivable = max(0, receivable + priced[item_id].free(lines[item_id], reserved.get(item_id, 0)))",
           "receivable += max(0, priced[item_id].free(lines[item_id], reserved.get(item_id, 0)))"),
    Mutant("a kept amount is exceeded by a parcel", DOMAIN + "decide/refunds/entitlement.py",
           "due = min(due, named)", "pass"),
    Mutant("dollars are refunded as euros", DOMAIN + "decide/violations.py",
           "for currency in currencies - {order.currency}:", "for currency in set[str]():"),
    Mutant("one unreadable ledger holds up all others", "src/rma/shell/resume.py",
           "except Exception:  # one ledger", "except ZeroDivisionError:  # one ledger"),
    Mutant("a blocked amount pays in parts by itself", DOMAIN + "decide/refunds/retry.py",
           "if pay is None and order:", "if False:"),
    Mutant("an unkeyed gateway is asked again", DOMAIN + "messages/gateways.py",
           "Action.LEASE_AND_SEND if effect.started_at is None else Action.GIVE_UP", "Action.LEASE_AND_SEND"),
    Mutant("a searchable gateway is asked again without a search", DOMAIN + "messages/gateways.py",
           "return Action.LOOK_UP if can_look_up else Action.GIVE_UP  # it promised", "return Action.LEASE_AND_SEND  # it promised"),
    Mutant("a gateway that promised look-ups and has none is asked again", DOMAIN + "messages/gateways.py",
           "return Action.LOOK_UP if can_look_up else Action.GIVE_UP  # it promised", "return Action.LOOK_UP  # it promised"),
    Mutant("a key is sent after its window", DOMAIN + "messages/gateways.py",
           "if window is None or now < effect.opened_at + window:", "if True:"),
    Mutant("leases are not looked at", DOMAIN + "messages/effects.py",
           "return self.due_at is None or self.due_at <= now", "return True"),
    Mutant("two processes send under one lease", "src/rma/shell/deliver.py",
           "left_alone = set(to_lease) - ours", "left_alone = set[str]()"),
    Mutant("a late failure is not believed", DOMAIN + "state/refunds.py",
           "    RefundStatus.FAILED: 2,", "    RefundStatus.FAILED: 1,"),
    Mutant("an old notification undoes what is known", DOMAIN + "state/refunds.py",
           "if _RANK[status] <= _RANK[refund.status]:", "if False:"),
    Mutant("a notification leaves the effect open", DOMAIN + "evolve.py",
           "effects = effects.without(refund.key)", "pass"),
    Mutant("a blocking service counts an awaitable as done", "src/rma/shell/driver.py",
           "awaitable = steps.throw(_refused(awaitable))", "awaitable = steps.send(_refused(awaitable))"),
    Mutant("the fresh id is drawn again for each attempt", "src/rma/shell/handle.py",
           "facts_for(command, ledger, host, fresh_id)", "facts_for(command, ledger, host, host.ids())"),
    Mutant("what a clerk rejected is paid for", DOMAIN + "state/return_item.py",
           "accepted = self.received_quantity - self.rejected_quantity", "accepted = self.received_quantity"),
    Mutant("what goes back to the customer stays in stock", DOMAIN + "decide/returns/resolve.py",
           "        if each.send_back and each.quantity:", "        if False:"),
    Mutant("what was sent back can not be returned again", DOMAIN + "decide/returns/resolve.py",
           "received_quantity=item.received_quantity - sellable", "received_quantity=item.received_quantity"),
    Mutant("a unit is refunded and sent back", DOMAIN + "decide/returns/resolve.py",
           "if left < target.entitled_amount:", "if False:"),
    Mutant("a return is resolved before anything came", DOMAIN + "decide/returns/resolve.py",
           "elif target.status is ReturnStatus.REQUESTED:", "elif False:"),
    Mutant("an exchange refunds parcel by parcel", DOMAIN + "decide/refunds/entitlement.py",
           " or (target.exchange_id is not None and not closing)", ""),
    Mutant("new goods are sent before the customer paid", DOMAIN + "decide/linked.py",
           "if not known.owed.amount:", "if True:"),
    Mutant("new goods are sent before the old ones came", DOMAIN + "decide/exchanges.py",
           "exchange.status is not ExchangeStatus.REQUESTED and not paid.owed.amount", "not paid.owed.amount"),
    Mutant("an exchange forgets what was paid for it", DOMAIN + "evolve.py",
           "charges=(*each.charges, paid)", "charges=each.charges"),
    Mutant("a payment that is told twice counts twice", DOMAIN + "decide/exchanges.py",
           "if each.reference == command.reference", "if False"),
    Mutant("more is taken than is owed", DOMAIN + "decide/exchanges.py",
           "amount > (owed := exchange.owed.amount)", "amount < 0 and (owed := exchange.owed.amount)"),
    Mutant("an exchange that was paid is canceled", DOMAIN + "decide/exchanges.py",
           "elif exchange.payments and not (is_here or is_over):", "elif False:"),
    Mutant("an exchange's return is canceled without it", DOMAIN + "decide/returns/cancel.py",
           "elif target.exchange_id is not None and", "elif False and"),
    Mutant("an exchange is charged for the return's postage twice", DOMAIN + "state/valuation.py",
           "if balance < 0:", "balance += sum([amount for _, amount in other])\n    if balance < 0:"),
    Mutant("what a customer paid is counted twice", DOMAIN + "state/ledger.py",
           "captured.setdefault(paid.reference, paid.amount.amount)",
           "captured[paid.reference + '.'] = paid.amount.amount"),
    Mutant("claimed units are returned as well", DOMAIN + "state/claims.py",
           "0 if is_over else item.quantity", "0"),
    Mutant("a canceled claim keeps its units", DOMAIN + "state/claims.py",
           "0 if is_over else item.quantity", "item.quantity"),
    Mutant("a claim and its return are both paid", DOMAIN + "state/returns.py",
           "        if self.claim_id is not None:\n            return NOTHING\n        return arrived(", "        return arrived("),
    Mutant("a claim's units are held twice", DOMAIN + "state/returns.py",
           "0 if item.is_requested else item.arrived_quantity", "item.allocated_quantity"),
    Mutant("a claim that was made good is canceled", DOMAIN + "decide/claims.py",
           "claim.status is not ClaimStatus.CANCELED and (claim.refunded or claim.new_items)", "False"),
    Mutant("a claim pays more than is left", DOMAIN + "decide/claims.py",
           "return _Money(value - rounding, pay or 0, is_refund_blocked=pay is None)", "return _Money(value, value)"),
    Mutant("what is replaced is refunded, too", DOMAIN + "decide/claims.py",
           "    if kind is ClaimType.REPLACE:\n        return _Money()\n", ""),
    Mutant("a claim's refund that failed is owed for ever", DOMAIN + "evolve.py",
           "refunds=_known(each.refunds, event)", "refunds=each.refunds"),
    Mutant("a claim's refunds do not count", DOMAIN + "state/ledger.py",
           "            yield from claim.refunds", "            yield from ()"),
    Mutant("a replacement that could not be sent is not resumed with its return", DOMAIN + "state/ledger.py",
           "others = (subject.exchange_id, subject.claim_id)", "others = ()"),
    Mutant("refunds that failed are transactions", DOMAIN + "views/transactions.py",
           "        for refund in each.refunds\n        if refund.is_in_force", "        for refund in each.refunds"),
]  # fmt: skip


def verdict(mutant: Mutant, original: Path) -> str:
    """`killed`, `survived`, or `does not fit`."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "rma"
        shutil.copytree(original, copy)
        source = copy / mutant.path
        text = source.read_text()
        if text.count(mutant.before) != 1:
            return "does not fit"
        source.write_text(text.replace(mutant.before, mutant.after))
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
             "tests/rules", "tests/shell", "tests/laws"],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy / "src"), "RMA_TEST_PROFILE": "default"},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    return {0: "survived", 1: "killed"}.get(run.returncode, f"broke the run: {run.stdout[-300:]}")


def main(word: str = "") -> int:
    """How many mutants were not killed."""
    chosen = [mutant for mutant in MUTANTS if word in mutant.harm]
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        original = shutil.copytree(ROOT, Path(place) / "original", ignore=left_out)
        verdicts = list(threads.map(verdict, chosen, repeat(original)))
    for mutant, how in zip(chosen, verdicts, strict=True):
        sys.stdout.write(f"{how:12}  {mutant.harm}\n")
    alive = sum(how != "killed" for how in verdicts)
    sys.stdout.write(f"{len(chosen) - alive} of {len(chosen)} mutants killed\n")
    return alive


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
