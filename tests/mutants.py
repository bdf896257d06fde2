"""
The code, broken on purpose: every mutant below must make a test fail.

    python -m tests.mutants            runs the tests against each mutant
    python -m tests.mutants cent fee   only against those whose harm has one of these words
    python -m tests.mutants --fit      runs nothing: names the mutants that no longer fit the code

Each mutant is a copy of the project with one change; rules, shell and laws run against it, the tests of what
was changed first. It fails if a mutant survives or no longer fits the code, and begins with the copy as it
is, whose tests must pass: a test that fails anyway kills nothing.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "src/rma/domain/"
POLICY = DOMAIN + "sale/policy.py"
SQL = "src/rma/adapters/sql/"
BEFORE = DOMAIN + "decide/returns/"
WITHDRAWAL = DOMAIN + "sale/withdrawal.py"


@frozen
class Mutant:
    """
    One change, and what it would do to a shop.

    Attributes:
        fields: of the policy's classes, the fields that it breaks, as `Fee.percent Terms.fees`.
    """

    harm: str
    path: str
    before: str
    after: str
    fields: str = ""


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
    Mutant("more than was fulfilled can be returned", DOMAIN + "state/remainder.py",
           'item.fulfilled_quantity - item.returned_quantity - self.reserved_quantity', 'item.quantity - item.returned_quantity - self.reserved_quantity'),
    Mutant("a line that nothing reserves is not read afresh", DOMAIN + "state/remainder.py",
           '    if not units:\n        return Remainder(line, line.quantity, line.running_sums)\n', ''),
    Mutant("what was returned without us can be returned again", DOMAIN + "state/remainder.py",
           'item.fulfilled_quantity - item.returned_quantity - self.reserved_quantity', 'item.fulfilled_quantity - self.reserved_quantity'),
    Mutant("open returns do not reserve units", DOMAIN + "state/returns.py",
           "return [(item.item_id, item.allocated_quantity) for item in self.items]", "return [(item.item_id, 0) for item in self.items]"),
    Mutant("a return that closed short reserves what did not arrive", DOMAIN + "state/returns.py",
           'if reserves is Reservation.ARRIVED:\n            return [', 'if False:\n            return ['),
    Mutant("a canceled return keeps its units", DOMAIN + "state/returns.py",
           "return [(item.item_id, 0) for item in self.items]", "return [(item.item_id, item.allocated_quantity) for item in self.items]"),
    Mutant("money on its way is spent twice", DOMAIN + "state/lifecycle.py",
           '_REFUND_PENDING = RefundRules(\n    is_in_force=True', '_REFUND_PENDING = RefundRules(\n    is_in_force=False'),
    Mutant("a failed refund keeps its money", DOMAIN + "state/lifecycle.py",
           '_REFUND_FAILED = RefundRules(\n    is_in_force=False', '_REFUND_FAILED = RefundRules(\n    is_in_force=True'),
    Mutant("a payment gives back more than its own", DOMAIN + "state/refunds.py",
           "part = min(amount, most)", "part = amount"),
    Mutant("refunds made without us are ignored", DOMAIN + "state/ledger.py",
           "payment.id: payment.captured.amount - payment.refunded.amount", "payment.id: payment.captured.amount"),
    Mutant("return shipping is free", DOMAIN + "state/valuation.py",
           'other.append(("return_shipping", -min(shipping, left)))', 'other.append(("return_shipping", 0))'),
    Mutant("return shipping makes a refund negative", DOMAIN + "state/valuation.py",
           "-min(shipping, left)", "-shipping"),
    Mutant("fees make a refund negative", DOMAIN + "state/valuation.py",
           "-min(fee_on(fee, value), left)", "-fee_on(fee, value)"),
    Mutant("a custom amount is paid in full for half the goods", DOMAIN + "state/valuation.py",
           'round_half_up(requested_refund.amount * part, whole) + unrequested', 'requested_refund.amount + unrequested'),
    Mutant("damaged units are paid against the terms", DOMAIN + "state/return_item.py",
           "        if refund_damaged:\n", "        if True:\n"),
    Mutant("damaged units go into stock", DOMAIN + "state/returns.py",
           "StockLine(item.item_id, item.variant_id, item.quantity)", "StockLine(item.item_id, item.variant_id, item.quantity + item.damaged_quantity)"),
    Mutant("a missing line is not a mismatch", DOMAIN + "decide/returns/receive.py",
           "missing = any(item.missing_quantity for item in items)",
           "missing = any(item.missing_quantity for item in items if item.arrived_quantity)"),
    Mutant("an unexpected line is not a mismatch", DOMAIN + "decide/returns/receive.py",
           "unrequested = not all(item.is_requested for item in items)", "unrequested = False"),
    Mutant("more_expected lets anything in", DOMAIN + "decide/returns/receive.py",
           "if command.more_expected and not unrequested:", "if command.more_expected:"),
    Mutant("each parcel is paid as if it were the first", DOMAIN + "decide/refunds/entitlement.py",
           'due = entitled - in_force(before.refunds)', 'due = entitled'),
    Mutant("an amount above what is refundable is cut to it", DOMAIN + "decide/refunds/split.py",
           "if excess > (len(order.items) if order else 0):", "if False:"),
    Mutant("a cent of rounding blocks a refund", DOMAIN + "decide/refunds/split.py",
           "if excess > (len(order.items) if order else 0):", "if excess:"),
    Mutant("more arrives than the customer had", DOMAIN + "decide/returns/receive.py",
           "if good + bad > receivable:", "if good + bad > receivable + 1:"),
    Mutant("the limits hold for each entry of a line, not for their sum", DOMAIN + "decide/returns/request.py",
           "totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity",
           "totals[asked.item_id] = asked.quantity"),
    Mutant("a named refund is not capped", DOMAIN + "decide/checks.py",
           'most is not None and amount.amount > most:', 'most is not None and amount.amount > 10**9:'),
    Mutant("categories are reasons", DOMAIN + "decide/returns/request.py",
           "elif reason.id in categories:", "elif False:"),
    Mutant("outbound options bring goods back", DOMAIN + "decide/returns/request.py",
           "elif not option.is_return:", "elif False:"),
    Mutant("what was paid for in part is canceled", DOMAIN + "decide/returns/cancel.py",
           'if refusal is None and (target.was_partially_received or target.entitlement.entitled.amount):', 'if False:'),
    Mutant("goods of a canceled return stay in stock", DOMAIN + "decide/returns/cancel.py",
           'withdraw_requests=_withdraw_all(target)', 'withdraw_requests=()'),
    Mutant("a label without a return stays booked", DOMAIN + "decide/returns/cancel.py",
           "cancel_request=cancel_shipment(target, ledger)", "cancel_request=None"),
    Mutant("arrived counters survive a cancellation", DOMAIN + "evolve.py",
           'items=tuple([_nothing_arrived(item) for item in before.items]),', ''),
    Mutant("a retry may pay what is already on its way", DOMAIN + "state/entitlement.py",
           'return Money(max(0, self.entitled.amount - in_force(self.refunds)), self.entitled.currency)\n\n    @property\n    def overpaid', 'return self.entitled\n\n    @property\n    def overpaid'),
    Mutant("a retry uses the key of the failed refund", DOMAIN + "decide/refunds/split.py",
           "start=len(target.refunds) + 1", "start=max(1, len(target.refunds))"),
    Mutant("the second restock hides behind the first one's key", DOMAIN + "decide/returns/receive.py",
           'effect_key(target.id, "restock", earlier + 1)', 'effect_key(target.id, "restock", 1)'),
    Mutant("a repeated request is done again", DOMAIN + "evolve.py",
           "command.idempotency_key is not None and header.subject_id", "command.idempotency_key is None and header.subject_id"),
    Mutant("a key answers any request", DOMAIN + "decide/idempotency.py",
           "if before.command != command:", "if type(before.command) is not type(command):"),
    Mutant("a time-out closes the effect", DOMAIN + "decide/outcomes.py",
           "changed.append(_delivery_changed(target, ledger, effect, delivery, at))", "recorded.setdefault(target.id, {})[outcome.key] = EffectOutcome(key=outcome.key)"),
    Mutant("an outcome that arrives twice is recorded twice", DOMAIN + "decide/outcomes.py",
           "if (known == refund and (effect is None or is_waiting)) or (", "if ("),
    Mutant("a cancellation overtakes its booking", DOMAIN + "messages/effects.py",
           "CancelShipmentRequest(shipment_key=key) | WithdrawRequest(restock_key=key)",
           "WithdrawRequest(restock_key=key)"),
    Mutant("a withdrawal overtakes its restock", DOMAIN + "messages/effects.py",
           "CancelShipmentRequest(shipment_key=key) | WithdrawRequest(restock_key=key)",
           "CancelShipmentRequest(shipment_key=key)"),
    Mutant("money moves before stock", DOMAIN + "react.py",
           "return (*((restock,) if restock else ()), *_refund_requests(event))", "return (*_refund_requests(event), *((restock,) if restock else ()))"),
    Mutant("the order's version forgets receipts", DOMAIN + "state/ledger.py",
           "1 + len(each.receipts) +", "1 +"),
    Mutant("a lost race overwrites the winner", "src/rma/adapters/memory.py",
           "if stored != change.expected_revision:", "if stored < change.expected_revision:"),
    Mutant("a lost race is the caller's problem", "src/rma/shell/commit.py",
           "if attempt == ATTEMPTS:", "if True:"),
    Mutant("a store that fails after the commit fails the command", "src/rma/shell/deliver.py",
           "    except Exception as error:\n        # The command was committed", "    except ZeroDivisionError as error:\n        # The command was committed"),
    Mutant("what a port raises is not counted as an attempt", "src/rma/shell/deliver.py",
           "    except Exception as error:\n        words = _failed(effect, error, host)\n        is_final", "    except ZeroDivisionError as error:\n        words = _failed(effect, error, host)\n        is_final"),
    Mutant("money moves before the host commits, who may roll back", "src/rma/shell/handle.py",
           "if deliver_now and not await is_in_host_transaction(host):", "if deliver_now:"),
    Mutant("a timer moves money before the host commits", "src/rma/shell/resume.py",
           "if await is_in_host_transaction(host):", "if False:"),
    Mutant("a repository that does not say it is in the host's transaction is bound", "src/rma/shell/host_transaction.py",
           "if declared_by(bound) is not True:", "if bound is None:"),
    Mutant("faults around ledgers hide that the host commits them", "src/rma/testing/fault_injection.py",
           "return declared_by(self.port) is True", "return False"),
    Mutant("one failing event is skipped", "src/rma/shell/deliver.py",
           "            through = event.revision - 1\n            break", "            continue"),
    Mutant("an order under an alias is another ledger", DOMAIN + "decide/returns/request.py",
           "if order is None or order.id != order_id:", "if order is None:"),
    Mutant("a unit that was returned without us arrives again", DOMAIN + "decide/returns/receive.py",
           'line.fulfilled_quantity - line.returned_quantity if line else 0', 'line.fulfilled_quantity if line else 0'),
    Mutant("an amount named on a mismatch is forgotten", DOMAIN + "decide/refunds/entitlement.py",
           'return evolve(before, requested_refund=agreed, refund_note=refund_note)', 'return before'),
    Mutant("dollars are refunded as euros", DOMAIN + "decide/checks.py",
           'for currency in currencies - {order.currency}:', 'for currency in set[str]():'),
    Mutant("one unreadable ledger holds up all others", "src/rma/shell/resume.py",
           "except Exception as error:  # one ledger", "except ZeroDivisionError as error:  # one ledger"),
    Mutant("a blocked amount pays in parts by itself", DOMAIN + "decide/refunds/retry.py",
           "if pay is None and order:", "if False:"),
    Mutant("a gateway that is not idempotent is asked again", DOMAIN + "messages/gateways.py",
           "Action.LEASE_AND_SEND if effect.delivery.started_at is None else Action.GIVE_UP", "Action.LEASE_AND_SEND"),
    Mutant("a searchable gateway is asked again without a search", DOMAIN + "messages/gateways.py",
           'return Action.LOOK_UP if can_look_up else Action.GIVE_UP  # it declared', 'return Action.LEASE_AND_SEND  # it declared'),
    Mutant("a gateway that promised look-ups and has none is asked again", DOMAIN + "messages/gateways.py",
           'return Action.LOOK_UP if can_look_up else Action.GIVE_UP  # it declared', 'return Action.LOOK_UP  # it declared'),
    Mutant("a key is sent after its window", DOMAIN + "messages/gateways.py",
           'if key_lifetime is None or now < first_sent + key_lifetime - margin_of(key_lifetime):', 'if True:'),
    Mutant("leases are not looked at", DOMAIN + "messages/effects.py",
           "return delivery.leased_until is None or delivery.leased_until <= now", "return True"),
    Mutant("two processes send under one lease", "src/rma/shell/deliver.py",
           "until if leases and now(host) < until else None", "until if now(host) < until else None"),
    Mutant("a late failure is not believed", DOMAIN + "state/lifecycle.py",
           '    succeeded=None,\n    pending=None,\n    declined=RefundStatus.FAILED,', '    succeeded=None,\n    pending=None,\n    declined=None,'),
    Mutant("an old notification undoes what is known", DOMAIN + "state/lifecycle.py",
           'is_in_force=False, succeeded=None,', 'is_in_force=False, succeeded=RefundStatus.SUCCEEDED,'),
    Mutant("a notification leaves the effect open", DOMAIN + "evolve.py",
           "        for outcome in _outcomes(event):\n            _close", "        for outcome in getattr(event, 'outcomes', ()):\n            _close"),
    Mutant("a blocking service counts an awaitable as done", "src/rma/shell/driver.py",
           "awaitable = steps.throw(_refused(awaitable))", "awaitable = steps.send(_refused(awaitable))"),
    Mutant("the fresh id is drawn again for each attempt", "src/rma/shell/handle.py",
           "facts_for(command, ledger, host, fresh_id)", "facts_for(command, ledger, host, fresh_id and draw_id(command, host))"),
    Mutant("what a clerk rejected is paid for", DOMAIN + "state/return_item.py",
           "accepted = self.received_quantity - self.rejected_quantity", "accepted = self.received_quantity"),
    Mutant("what goes back to the customer stays in stock", DOMAIN + "decide/returns/resolve.py",
           "        if each.send_back and each.quantity:", "        if False:"),
    Mutant("what was returned to the customer cannot be returned again", DOMAIN + "decide/returns/resolve.py",
           "received_quantity=item.received_quantity - sellable", "received_quantity=item.received_quantity"),
    Mutant("a unit is refunded and returned to the customer", DOMAIN + "decide/returns/resolve.py",
           'if accepted < entitled:', 'if False:'),
    Mutant("a return is resolved before anything arrived", DOMAIN + "state/lifecycle.py",
           '    receive=None,\n    resolve="nothing_to_resolve"', '    receive=None,\n    resolve=None'),
    Mutant("an exchange refunds parcel by parcel", DOMAIN + "decide/refunds/entitlement.py",
           '    if target.exchange_id is not None:\n        return status is ReturnStatus.RECEIVED\n', ''),
    Mutant("new goods are sent before the customer paid", DOMAIN + "decide/linked.py",
           "if not evolve(exchange, difference_due=difference_due).owed.amount:", "if True:"),
    Mutant("new goods are sent before the old ones arrived", DOMAIN + "decide/exchanges.py",
           "exchange.status is not ExchangeStatus.REQUESTED and amount == exchange.owed", "amount == exchange.owed"),
    Mutant("an exchange forgets what was paid for it", DOMAIN + "evolve.py",
           "charges=(*each.charges, paid)", "charges=each.charges"),
    Mutant("a payment that is reported twice counts twice", DOMAIN + "decide/exchanges.py",
           "if each.reference == command.reference", "if False"),
    Mutant("more is taken than is owed", DOMAIN + "decide/exchanges.py",
           'amount > (owed := exchange.owed)', 'amount.amount < 0 and (owed := exchange.owed)'),
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
           'item.quantity if reserves else 0', '0'),
    Mutant("a canceled claim keeps its units", DOMAIN + "state/claims.py",
           'item.quantity if reserves else 0', 'item.quantity'),
    Mutant("a claim and its return are both paid", DOMAIN + "state/returns.py",
           '        if self.claim_id is not None:\n            return NOTHING\n        return value_arrived(', '        return value_arrived('),
    Mutant("a claim's units are held twice", DOMAIN + "state/returns.py",
           "0 if item.is_requested else item.arrived_quantity", "item.allocated_quantity"),
    Mutant("a claim that was compensated is canceled", DOMAIN + "decide/claims.py",
           '(paid or claim.new_items)', 'False'),
    Mutant("a claim that is written off stays due", DOMAIN + "decide/refunds/resolve_claim.py",
           'max(agreed.amount, claim.refunded.amount)', 'claim.refund_amount.amount'),
    Mutant("a claim that is written off asks a payment back", DOMAIN + "decide/refunds/resolve_claim.py",
           'max(agreed.amount, claim.refunded.amount)', 'agreed.amount'),
    Mutant("a claim that is written off requires action for ever", DOMAIN + "decide/refunds/resolve_claim.py",
           'status=status_paid(claim, ledger)', 'status=claim.status'),
    Mutant("a claim is resolved with more than is left", DOMAIN + "decide/refunds/resolve_claim.py",
           'agreed.amount > most', 'False'),
    Mutant("an exchange that waits for the customer is not seen", DOMAIN + "state/exchanges.py",
           'ExchangeStatus.AWAITING_PAYMENT, ExchangeStatus.REQUIRES_ACTION)', 'ExchangeStatus.REQUIRES_ACTION,)'),
    Mutant("a claim pays more than is left", DOMAIN + "decide/refunds/entitlement.py",
           'is_refund_blocked=pay is None,\n        refunds=before.refunds + refunds_for(pay, order, ledger, target, at) if pay else before.refunds,', 'is_refund_blocked=False,\n        refunds=before.refunds + refunds_for(due, order, ledger, target, at) if due else before.refunds,'),
    Mutant("what is replaced is refunded, too", DOMAIN + "decide/claims.py",
           '    if kind is ClaimType.REPLACE:\n        return Money(0, order.currency)\n', ''),
    Mutant("a claim's refund that failed is owed for ever", DOMAIN + "evolve.py",
           '                claim,\n                entitlement=_with_outcomes(claim.entitlement, event),', '                claim,'),
    Mutant("a claim's refunds do not count", DOMAIN + "state/ledger.py",
           "            yield from claim.refunds", "            yield from ()"),
    Mutant("a replacement that could not be sent is not resumed with its return", DOMAIN + "state/ledger.py",
           "others = (subject.exchange_id, subject.claim_id)", "others = ()"),
    Mutant("refunds that failed are transactions", DOMAIN + "views/transactions.py",
           "        for refund in each.refunds\n        if refund.is_in_force", "        for refund in each.refunds"),
    Mutant("a return does not remember the policy's name", POLICY,
           "        return Terms(\n            self.name,\n", '        return Terms(\n            "default",\n', "ReturnPolicy.name Terms.name"),
    Mutant("a return does not remember the policy's version", POLICY,
           "            self.name,\n            self.version,\n", '            self.name,\n            "1",\n', "ReturnPolicy.version Terms.version"),
    Mutant("damaged units are paid whatever the policy says", POLICY,
           "            self.refund_damaged,\n            self.fees,", "            True,\n            self.fees,", "ReturnPolicy.refund_damaged Terms.refund_damaged"),
    Mutant("the policy's fees are forgotten", POLICY,
           "            self.fees,\n            return_within", "            (),\n            return_within", "ReturnPolicy.fees Terms.fees"),
    Mutant("a request that a person must approve is open at once", BEFORE + "review.py",
           "return facts.policy.review and", "return False and", "ReturnPolicy.review"),
    Mutant("a withdrawal waits for a person's consent", BEFORE + "review.py",
           " and basis is not ReturnBasis.WITHDRAWAL", ""),
    Mutant("goods can be sent for ever", POLICY,
           "return_within_days=self.return_within_days,", "return_within_days=None,", "ReturnPolicy.return_within_days Terms.return_within_days"),
    Mutant("no date is known until when a refund is due", POLICY,
           "pay_within_days=self.pay_within_days,", "pay_within_days=None,", "ReturnPolicy.pay_within_days Terms.pay_within_days"),
    Mutant("a withdrawal is returned by the policy's terms", POLICY,
           "self.version, withdrawal=self.withdrawal)", "self.version)", "ReturnPolicy.withdrawal Terms.withdrawal"),
    Mutant("a fee is kept of a withdrawal", DOMAIN + "decide/returns/draft.py",
           "facts.policy.withdrawal_terms if is_withdrawal else facts.policy.terms", "facts.policy.terms"),
    Mutant("the window of withdrawals is always that of the European Union", WITHDRAWAL,
           "self.window.until(", "_WITHDRAWAL_WINDOW.until(", "Withdrawal.window"),
    Mutant("a withdrawal is refused half a day too soon", WITHDRAWAL,
           ".until(order, line, self.calendar)", ".until(order, line, None)", "Withdrawal.calendar"),
    Mutant("the days to send a withdrawal are always 14", WITHDRAWAL,
           "Window(self.return_days,", "Window(14,", "Withdrawal.return_days"),
    Mutant("a withdrawal expires on the day that the customer knows", WITHDRAWAL,
           "grace_days=self.grace_days,", "", "Withdrawal.grace_days"),
    Mutant("a withdrawal's refund is always due in 14 days", WITHDRAWAL,
           "Window(self.refund_days,", "Window(14,", "Withdrawal.refund_days"),
    Mutant("the United Kingdom refunds before it has goods or proof", WITHDRAWAL,
           "if self.due_from is DueFrom.GOODS:", "if False:", "Withdrawal.due_from"),
    Mutant("a withdrawal is judged when it is recorded, not when it was declared", BEFORE + "request.py",
           "withdrawal.refusals(order, line, declared_at)", "withdrawal.refusals(order, line, facts.at)"),
    Mutant("a proof of sending makes nothing due", DOMAIN + "state/deadlines.py",
           "for at in (sent_at, received_at)", "for at in (received_at,)"),
    Mutant("more is approved than was requested", BEFORE + "approve.py",
           "elif quantity > requested[item_id]:", "elif False:"),
    Mutant("units that are not approved stay reserved", BEFORE + "approve.py",
           "items = target.items if quantities is None else _approved(target, quantities)", "items = target.items"),
    Mutant("a named refund is paid for units that were not approved", BEFORE + "approve.py",
           "    if named is None or items is target.items:", "    if True:"),
    Mutant("a withdrawal is declined", BEFORE + "approve.py",
           "if target and target.basis is ReturnBasis.WITHDRAWAL:", "if False:"),
    Mutant("no label is booked on approval", BEFORE + "approve.py",
           "shipment_request=book_shipment(approved)", "shipment_request=None"),
    Mutant("a label is booked before approval", BEFORE + "draft.py",
           "is_unbooked=draft.is_pending and method is not None", "is_unbooked=False"),
    Mutant("a late parcel reserves what did not come with it", DOMAIN + "state/returns.py",
           "if self.is_released and reserves is Reservation.REQUESTED:", "if False:"),
    Mutant("a late parcel takes units that others were promised", BEFORE + "receive.py",
           "expected = 0 if target.is_released else item.missing_quantity", "expected = item.missing_quantity"),
    Mutant("a late parcel is paid by the share that it once had", BEFORE + "receive.py",
           "is_expected=not target.is_released", "is_expected=True"),
    Mutant("what no one approved is paid when it arrives", BEFORE + "receive.py",
           "if (target.needs_approval or target.is_released) and not is_accepted:", "if False:"),
    Mutant("an update is refused its own units", BEFORE + "update.py",
           "draft_request(wrong, as_of, _without(ledger, target), request)", "draft_request(wrong, as_of, ledger, request)"),
    Mutant("units are added to an approved return without approval", BEFORE + "update.py",
           "        is_more and needs_review(facts, target.basis)\n", "        False\n"),
    Mutant("who keeps a thing after the window is refused", BEFORE + "update.py",
           "as_of = facts if is_more else evolve(facts, at=target.requested_at)", "judged = facts"),
    Mutant("units are added after the window", BEFORE + "update.py",
           "as_of = facts if is_more else evolve(facts, at=target.requested_at)", "as_of = evolve(facts, at=target.requested_at)"),
    Mutant("an update changes the terms of a return", BEFORE + "update.py",
           "        terms=target.terms,\n", "        terms=facts.policy.terms,\n"),
    Mutant("a label to another place is kept", BEFORE + "update.py",
           "(target.provider_id, target.location_id) == (provider_id, location_id)", "True"),
    Mutant("each update books another label", BEFORE + "update.py",
           "    return evolve(after, id=before.id) == before", "    return False"),
    Mutant("goods on their way are updated", BEFORE + "update.py",
           '    elif target and target.sending is not None:', '    elif False:'),
    Mutant("a return expires on its last day", BEFORE + "sending.py",
           "elif facts.at <= until:", "elif False:"),
    Mutant("a return expires while its goods travel", BEFORE + "sending.py",
           '    if target.sending is not None:\n        wrong.add("return_already_sent", return_id=target.id)\n    until', '    until'),
    Mutant("the label of a return that expired stays valid", BEFORE + "sending.py",
           "cancel_request=cancel_shipment(target, ledger)", "cancel_request=None"),
    Mutant("a return that expired without a label has one", DOMAIN + "evolve.py",
           "                is_unbooked=cancel is not None,\n", ""),
    Mutant("a lost label stays valid beside the next one", BEFORE + "renew.py",
           "cancel_request=None if ended and not ended.shipment else cancel_shipment(target, ledger)", "cancel_request=None"),
    Mutant("a label that was never booked is canceled", BEFORE + "renew.py",
           "cancel_request=None if ended and not ended.shipment else cancel_shipment(target, ledger)", "cancel_request=cancel_shipment(target, ledger)"),
    Mutant("a booking of unknown outcome is booked again unseen", BEFORE + "renew.py",
           "elif is_stopped and command.was_booked is None:", "elif False:"),
    Mutant("an old label is shown as the new one", DOMAIN + "evolve.py",
           'if each.shipment and each.key.endswith((f"-{number}", f"/{number}"))', 'if each.shipment'),
    Mutant("what was paid is listed as due", DOMAIN + "state/returns.py",
           "return self.refund_due_by if owed else None", "return self.refund_due_by"),
    Mutant("what was sent is listed as waited for", DOMAIN + "state/returns.py",
           "return self.return_by if self.status is ReturnStatus.REQUESTED and self.sending is None else None", "return self.return_by if self.status is ReturnStatus.REQUESTED else None"),
    Mutant("nothing expires by itself", "src/rma/shell/resume.py",
           "expired, is_complete = await expire_returns(host, started_at, time_limit)", "expired, is_complete = (), True"),
    Mutant("one return that cannot expire holds up the others", "src/rma/shell/expire.py",
           "tell(host, StoringFailed(order_id=each.order_id, error=error))", "raise"),
    Mutant("a row forgets that a return was revised", SQL + "rows.py",
           "GoodsReceived | ReturnResolved | ReturnCanceled | ReturnApproved | ReturnUpdated", "GoodsReceived | ReturnResolved | ReturnCanceled"),
    Mutant("a list by date misses what another page has", SQL + "listing.py",
           'yield returns.c.return_by < bindparam("return_before", type_=Timestamp)', 'yield returns.c.return_by.is_not(None)'),
    Mutant("a line that was edited between two parcels stops the dock", BEFORE + "receipt_items.py",
           "if is_of_line and item.line.has_parts_of(remainder.line):", "if is_of_line:"),
    Mutant("a return window is a day longer", POLICY,
           "timedelta(days=self.window_days)", "timedelta(days=self.window_days + 1)", "ReturnPolicy.window_days"),
    Mutant("fees have no names in a breakdown", DOMAIN + "state/valuation.py",
           'other.append((f"fee:{fee.name}", -min(fee_on(fee, value), left)))', 'other.append(("fee", -min(fee_on(fee, value), left)))', "Fee.name"),
    Mutant("a fixed fee is not kept", POLICY,
           "return fee.amount.amount if fee.amount is not None else 0", "return 0", "Fee.amount"),
    Mutant("a fee in percent is rounded down", POLICY,
           "return percent_of(value, fee.percent)", "return int(value * fee.percent / 100)", "Fee.percent"),
    Mutant("a canceled return is received", DOMAIN + "state/lifecycle.py",
           'receive="return_canceled"', "receive=None"),
    Mutant("a received return is received again", DOMAIN + "state/lifecycle.py",
           'receive="return_already_received"', "receive=None"),
    Mutant("a received return is canceled", DOMAIN + "state/lifecycle.py",
           'cancel="return_already_received"', "cancel=None"),
    Mutant("a return in parcels is canceled", DOMAIN + "state/lifecycle.py",
           'cancel="return_not_cancelable"', "cancel=None"),
    Mutant("a canceled return is resolved", DOMAIN + "state/lifecycle.py",
           'resolve="return_canceled"', "resolve=None"),
    Mutant("a completed exchange is canceled", DOMAIN + "state/lifecycle.py",
           'cancel="exchange_completed"', "cancel=None"),
    Mutant("a canceled exchange is paid", DOMAIN + "state/lifecycle.py",
           'record_payment="exchange_canceled"', "record_payment=None"),
    Mutant("a canceled return reserves its units", DOMAIN + "state/lifecycle.py",
           '    reserves=Reservation.NOTHING,\n    approve="return_not_pending",\n    decline="return_not_pending",\n    update="return_canceled"', '    reserves=Reservation.REQUESTED,\n    approve="return_not_pending",\n    decline="return_not_pending",\n    update="return_canceled"'),
    Mutant("a refund that succeeded is pending again", DOMAIN + "state/lifecycle.py",
           "    succeeded=None,\n    pending=None,\n    declined", "    succeeded=None,\n    pending=RefundStatus.PENDING,\n    declined"),
    Mutant("what was paid too much is hidden", DOMAIN + "state/entitlement.py",
           "max(0, in_force(self.refunds) - self.entitled.amount)", "0"),
    Mutant("an event of a commit keeps the number of another", DOMAIN + "change.py",
           "if header.revision == revision and header.number == number and effects_due_at is None:", "if effects_due_at is None:"),
    Mutant("a fee in another currency is kept as it is", DOMAIN + "decide/returns/request.py",
           "if fee.amount and fee.amount.currency not in (currency, NO_CURRENCY):", "if False:"),
    Mutant("an order's discount is lost with the line that took it", DOMAIN + "state/remainder.py",
           "if not is_changed:", "if True:"),
    Mutant("what edited discounts took of a line is counted by parts that are gone", DOMAIN + "state/remainder.py",
           "if line.are_valid(running_sums):", "if True:"),
    Mutant("a stale order moves money", DOMAIN + "decide/facts.py",
           "order.version < ledger.order_version", "False"),
    Mutant("gateways that take no slash refuse every refund", DOMAIN + "messages/effects.py",
           'return f"{owner_id}-{kind}-{number}"', 'return f"{owner_id}/{kind}/{number}"'),
    Mutant("outcomes of keys as they were spelled before are lost", DOMAIN + "messages/effects.py",
           'return key.rsplit("/", 2)[0]', 'return key'),
    Mutant("a label is canceled before it is booked", DOMAIN + "decide/returns/shipments.py",
           "        return booking.request.key\n", "        pass\n"),
    Mutant("a gateway that takes 45 characters refuses long ids of the host", "src/rma/shell/ids.py",
           "LONGEST = 26", "LONGEST = 32"),
    Mutant("ids of the host make keys that a gateway refuses", "src/rma/shell/ids.py",
           "if isinstance(drawn, str) and _FITS.fullmatch(drawn):", "if isinstance(drawn, str):"),
    Mutant("ids of the host are ignored where a command has a key", "src/rma/shell/ids.py",
           "if host.ids is not None:", "if host.ids is not None and command.idempotency_key is None:"),
    Mutant("a restored store pays a second time", "src/rma/shell/ids.py",
           "if isinstance(order_id, str) and isinstance(key, str):", "if False:"),
    Mutant("two orders share an id if a client repeats its key", "src/rma/shell/ids.py",
           'text = f"{len(order_id)}:{order_id}{idempotency_key}"', "text = idempotency_key"),
    Mutant("two orders share an id if their ends and keys read alike", "src/rma/shell/ids.py",
           'text = f"{len(order_id)}:{order_id}{idempotency_key}"', 'text = f"{order_id}{idempotency_key}"'),
    Mutant("ids of one millisecond are in no order", "src/rma/shell/ids.py",
           "| (microseconds * 4096 // 1000) << 64", "| (microseconds * 4095 % 1000) << 64"),
    Mutant("a typing error is refunded", DOMAIN + "decide/checks.py",
           "named.amount > value and not note", "False"),
    Mutant("units that were not requested are paid twice by a named amount", DOMAIN + "decide/refunds/entitlement.py",
           "for item in items if item.is_requested])", "for item in items])"),
    Mutant("why a claim paid more than its units are worth is forgotten", DOMAIN + "decide/claims.py",
           "        refund_note=claim.entitlement.refund_note,\n", ""),
    Mutant("a timer sends what a command is sending: the grace is forgotten", "src/rma/shell/handle.py",
           "due_at = facts.at + host.timing.grace if deliver_now else None", "due_at = None"),
    Mutant("what is left to timers waits for a grace", "src/rma/shell/handle.py",
           "due_at = facts.at + host.timing.grace if deliver_now else None", "due_at = facts.at + host.timing.grace"),
    Mutant("a gateway that is away for days is forgotten: the back-off has no cap", DOMAIN + "messages/timing.py",
           "min(self.first_retry * 2**doublings, self.longest_retry)", "self.first_retry * 2**doublings"),
    Mutant("a gateway that is away is asked each minute: the back-off does not double", DOMAIN + "messages/timing.py",
           "self.first_retry * 2**doublings", "self.first_retry"),
    Mutant("an effect that is stuck is not flagged", DOMAIN + "messages/timing.py",
           "before.pending_since is None and at >= effect.opened_at + self.stuck_after", "False"),
    Mutant("an effect that is stuck is slept through", DOMAIN + "messages/timing.py",
           "if effect.opened_at + self.stuck_after > at:", "if False:"),
    Mutant("what was stuck needs attention for ever", DOMAIN + "evolve.py",
           "return tuple([key for key in each.stuck_effects if key not in known])", "return each.stuck_effects"),
    Mutant("history has another order of what is stuck", DOMAIN + "evolve.py",
           "tuple(sorted([*others, event.key] if is_stuck else others))", "tuple([*others, event.key] if is_stuck else others)"),
    Mutant("history grows with every attempt: nothing is superseded", DOMAIN + "change.py",
           "                found.append(place)", "                pass"),
    Mutant("superseded events are not removed from memory", "src/rma/adapters/memory.py",
           "if change.superseded:", "if False:"),
    Mutant("superseded events are not removed from the database", "src/rma/adapters/sql/writer.py",
           "    if rows.superseded:\n        executor", "    if False:\n        executor"),
    Mutant("the event by which an effect became stuck is removed after it was published", DOMAIN + "evolve.py",
           "None if event.is_newly_stuck else (event.header.revision, event.header.number)", "(event.header.revision, event.header.number)"),
    Mutant("what was published depends on events that were superseded", DOMAIN + "evolve.py",
           "is_all = through >= event.revision - 1", "is_all = through >= self._revision"),
    Mutant("what arrived is put to another item", DOMAIN + "state/return_item.py",
           "units.append(item.units(index))", "units.append(item.units(0))"),
    Mutant("what arrives unrequested a second time is an item more", DOMAIN + "state/return_item.py",
           "if place in places:", "if False:"),
    Mutant("an event makes earlier refunds again", DOMAIN + "state/entitlement.py",
           "self.refunds[len(before.refunds) :]", "self.refunds"),
    Mutant("what arrived is not on record", SQL + "rows.py",
           "GoodsReceived | ReturnResolved | ReturnCanceled", "ReturnResolved | ReturnCanceled"),
    Mutant("what was rejected is not on record", SQL + "rows.py",
           "GoodsReceived | ReturnResolved | ReturnCanceled", "GoodsReceived | ReturnCanceled"),
    Mutant("what arrived stays on record when a return is canceled", SQL + "rows.py",
           "GoodsReceived | ReturnResolved | ReturnCanceled", "GoodsReceived | ReturnResolved"),
    Mutant("a command that moved no goods is done again under its key", SQL + "rows.py",
           "return event.command is not None and event.subject_id == subject_id", "return False"),
    Mutant("each change rewrites the record, with its lines", SQL + "rows.py",
           "_record(ledger, each) if ids[each.id] else None", "_record(ledger, each)"),
    Mutant("an order is due for what waits for another effect", DOMAIN + "state/ledger.py",
           "if not effect.delivery.is_stopped and effect.waits_for not in self.open_effects", "if not effect.delivery.is_stopped"),
    Mutant("an order is due for what is stopped", DOMAIN + "state/ledger.py",
           "if not effect.delivery.is_stopped and effect.waits_for", "if effect.waits_for"),
    Mutant("a late refund leaves a payment that was charged back", "src/rma/shell/deliver.py",
           "if request.amount.amount <= left:", "if True:"),
    Mutant("a late refund has no room because of itself", DOMAIN + "state/ledger.py",
           "[each for each in self.refunds if each.key != besides]", "list(self.refunds)"),
    Mutant("an order is read again for each refund of a command", "src/rma/shell/deliver.py",
           "if outcome is None and each.request.key not in fresh:", "if outcome is None:"),
    Mutant("a success after a failure is dropped, and paid again", DOMAIN + "state/lifecycle.py",
           "    is_in_force=False,\n    succeeded=RefundStatus.NEEDS_ATTENTION,", "    is_in_force=False,\n    succeeded=None,"),
    Mutant("a gateway that contradicts itself is believed", DOMAIN + "state/refunds.py",
           "(refund.is_contradicted and by is None)", "False"),
    Mutant("a notice that is delivered twice contradicts itself", DOMAIN + "state/refunds.py",
           "if notice is not None and notice == refund.success_notice:", "if False:"),
    Mutant("a gateway that moved more than it said first is not believed", DOMAIN + "state/refunds.py",
           "if outcome.amount.amount > refund.amount_in_force else refund", "if False else refund"),
    Mutant("a pending refund is sent again", DOMAIN + "messages/gateways.py",
           "if effect.delivery.pending_since is not None:  # the gateway", "if False:  # the gateway"),
    Mutant("a pending refund that is not found is sent again", "src/rma/shell/deliver.py",
           "    return found or Outcome(key, RefundPending())", "    return found"),
    Mutant("a pending refund is waited for for ever", DOMAIN + "messages/timing.py",
           "return since is not None and at >= since + self.pending_patience", "return False"),
    Mutant("a pending refund is waited for as long as it cannot be looked up", "src/rma/shell/deliver.py",
           "not isinstance(found.result, RefundPending | Unknown)", "not isinstance(found.result, RefundPending)"),
    Mutant("a look-up begins the patience again", DOMAIN + "messages/timing.py",
           "since = before.pending_since or at", "since = at"),
    Mutant("a pending refund that cannot be looked up is tried all the time", "src/rma/shell/asking.py",
           "return evolve(timing, pending_lookup=timing.pending_patience)", "return timing"),
    Mutant("a label that is stopped is bought again by a timer", DOMAIN + "messages/effects.py",
           "return not self.delivery.is_stopped and (due_at", "return (due_at"),
    Mutant("a label that is stopped is bought again by a client", DOMAIN + "messages/effects.py",
           "if delivery.is_stopped or delivery.pending_since is not None:", "if delivery.pending_since is not None:"),
    Mutant("a carrier's class is not looked at", "src/rma/shell/asking.py",
           "return host.fulfillment\n        case RestockRequest", "return None\n        case RestockRequest"),
    Mutant("labels of all orders are bought again at once", "src/rma/shell/resume.py",
           "    if stopped:\n        details", "    if False:\n        details"),
    Mutant("a lease is for all calls: what was answered waits for the next one", "src/rma/shell/deliver.py",
           "await _lease(each, gateway, ledger, host, outcomes)\n            outcomes = []", "await _lease(each, gateway, ledger, host, [])"),
    Mutant("what was answered before a lease is lost", "src/rma/shell/deliver.py",
           "apply_lease(state, key, at, until, outcomes, timing_of(host))", "apply_lease(state, key, at, until)"),
    Mutant("a lease that is over is used", "src/rma/shell/deliver.py",
           "until if leases and now(host) < until else None", "until if leases else None"),
    Mutant("one ledger that cannot be read ends the batch behind it", "src/rma/shell/resume.py",
           "                batches.stays_in_front()\n                continue", "                continue"),
    Mutant("a dead publisher is asked for every order", "src/rma/shell/resume.py",
           "self._in_a_row >= _MOST_UNPUBLISHED", "False"),
    Mutant("what is outstanding is not in the order of its age", "src/rma/shell/read.py",
           "sorted(found, key=lambda each: each.since)[:limit]", "found[:limit]"),
    Mutant("an observer that fails fails the command", "src/rma/shell/observe.py",
           "    except Exception:\n        _log", "    except ZeroDivisionError:\n        _log"),
    Mutant("a log is filled with the same traceback", "src/rma/observing.py",
           "exc_info=None if is_repeated or error is None else _shown(error)", "exc_info=error"),
    Mutant("on call: a stopped booking whose key was forgotten can never be sent", DOMAIN + "decide/outcomes.py",
           "unsent = Delivery(unsent_until=at)", "unsent = Delivery()"),
    Mutant("on call: no signal says that a refund failed", "src/rma/shell/observe.py",
           'yield refund.key, "refund_failed", refund.amount', "pass"),
    Mutant("attack: a lease is measured by a clock on the wall", DOMAIN + "values/validators.py",
           "return value.astimezone(UTC)", "return value"),
    Mutant("attack: a payment that is renamed forgets its refunds", DOMAIN + "state/refunds.py",
           "unnamed += refund.amount_in_force", "pass"),
    Mutant("attack: one charge pays two exchanges", DOMAIN + "decide/exchanges.py",
           "if other or (known", "if (known"),
    Mutant("attack: a stock port that answers False has restocked", "src/rma/shell/asking.py",
           "if answer is not None:", "if False:"),
    Mutant("attack: a gateway that refuses connections leaves its refunds to people", "src/rma/shell/deliver.py",
           "except NothingSentError as error:", "except ZeroDivisionError as error:"),
    Mutant("attack: a key is used to its last second, whatever the clocks say", DOMAIN + "messages/gateways.py",
           "return min(max(duration / 10, timedelta(minutes=1)), duration / 2)", "return timedelta(0)"),
    Mutant("attack: a carrier that times out holds up the money", "src/rma/shell/deliver.py",
           "if failing and failing.leaves_alone(port_of(each.request)):", "if False:"),
    Mutant("attack: a publisher that times out holds up the money", "src/rma/shell/deliver.py",
           'if host.events is None or (failing and failing.leaves_alone("events")):', "if host.events is None:"),
    Mutant("attack: a process that died has sent nothing", DOMAIN + "decide/outcomes.py",
           "before.unsent_until if before.started_at is None else None", "before.unsent_until"),
    Mutant("attack: an answer is thrown away with a dead connection", "src/rma/shell/deliver.py",
           "except Unavailable:", "except ZeroDivisionError:"),
    Mutant("attack: a look at the order outlasts the key", "src/rma/shell/deliver.py",
           "is not step:", "is None:"),
    Mutant("attack: a port forges a line of the log", "src/rma/observing.py",
           'each if each.isprintable() else " "', "each"),
    Mutant("attack: a refund gives back what others never paid", DOMAIN + "sale/pricing.py",
           "if running_sums[-1] * self.quantity == self.running_sums[-1] * quantity:", "if True:"),
    Mutant("over HTTP, a customer uses up the keys of the warehouse", "src/rma/adapters/medusa_api/requests.py",
           "scoped_key(customer_scope(created_by), idempotency_key)", "scoped_key(ADMIN, idempotency_key)"),
    Mutant("over HTTP, an id and a key are read as another id and key", "src/rma/adapters/medusa_api/keys.py",
           'f"{_CUSTOMER}{len(customer_id)}:{customer_id}:"', 'f"{_CUSTOMER}{customer_id}:"'),
    Mutant("over HTTP, long keys that begin alike are the same", "src/rma/adapters/medusa_api/keys.py",
           'return _DIGEST + sha256(scoped.encode("utf-8", "surrogatepass")).hexdigest()', 'return scoped[:MAX_ID]'),
    Mutant("over HTTP, a refusal shows the scope of a key", "src/rma/adapters/medusa_api/errors.py",
           "sent = client_key(key)", "sent: str | None = key"),
    Mutant("over HTTP, a large offset is read as another", "src/rma/adapters/medusa_api/requests.py",
           "_MOST_DIGITS: Final = 20", "_MOST_DIGITS: Final = 15"),
    Mutant("over HTTP, a body is waited for as long as something arrives", "examples/http_api.py",
           "asyncio.timeout_at(deadline)", "asyncio.timeout(self._seconds)"),
    Mutant("over HTTP, a connection whose body is not read stays open", "examples/http_api.py",
           'if is_arriving and message["type"] == "http.response.start":', "if False:"),
    Mutant("over HTTP, a client that is still sending cannot read its response", "examples/http_api.py",
           "                    while is_arriving:\n                        await receive_in_time()", "                    pass"),
    Mutant("a pooler is not noticed: the statement of another client answers", SQL + "pooling.py",
           "if answering != driver.info.backend_pid:", "if False:"),
    Mutant("an answer to another statement counts as an empty ledger", SQL + "executor.py",
           "if found != columns:", "if False:"),
    Mutant("an interrupted commit stays open on its connection", SQL + "executor.py",
           "            self._connection.rollback()\n", ""),
    Mutant("a reader fails once for every connection that broke with the server", SQL + "connections.py",
           "                self._engine.dispose()  #", "                pass  #"),
    Mutant("a connection that was interrupted answers the next command", SQL + "connections.py",
           "taken.pooled.invalidate(error)  # interrupted", "taken.pooled.close()  # interrupted"),
    Mutant("a host's connections commit each statement after ours", SQL + "connections.py",
           "        taken.driver.autocommit = False\n", "        pass\n"),
    Mutant("a host's connections no longer commit each statement after ours", SQL + "connections.py",
           "PostgresExecutor(driver)\n        taken = Taken(pool, pooled, driver, executor, driver.autocommit)",
           "PostgresExecutor(driver)\n        taken = Taken(pool, pooled, driver, executor, False)"),
    Mutant("a forked process talks on the connection of its parent", SQL + "connections.py",
           "if self._process != os.getpid():", "if False:"),
    Mutant("a page forgets what was requested together with its first one", SQL + "listing.py",
           "here >= last if of.kind.value > asked.after", "here >= last if False"),
    Mutant("a page repeats what was requested together with its first one", SQL + "listing.py",
           "here >= last if of.kind.value > asked.after", "here >= last if of.kind.value < asked.after"),
    Mutant("of what was requested together, one falls between two pages by number", SQL + "listing.py",
           "query.limit + skipped + _ALIKE", "query.limit + skipped"),
    Mutant("PostgreSQL reads a whole status to show a page", SQL + "listing.py",
           "parts = [select(_begun(each, asked, *bounds).subquery()) for each in ranges]",
           "parts = [select(each.subquery()) for each in ranges]"),
    Mutant("a service without a publisher hides orders from one that has one", SQL + "writer.py",
           "_first_since = func.coalesce(ledgers.c.unpublished_since, _since)", "_first_since = _since"),
    Mutant("the same, on a server", SQL + "writer.py",
           "THEN coalesce(unpublished_since, %(since)s::timestamptz) END", "THEN %(since)s::timestamptz END"),
    Mutant("every commit writes the index for publishers, also without one", "src/rma/shell/commit.py",
           "return change if host.events is not None else evolve(change, awaits_publication=False)",
           "return change"),
    Mutant("a publisher that comes later never sees the last order", SQL + "statements.py",
           'ledgers.c.order_id <= bindparam("to_order", type_=Text)',
           'ledgers.c.order_id < bindparam("to_order", type_=Text)'),
    Mutant("a canceled commit stops half way", SQL + "finishing.py",
           "            canceled = canceled or error\n",
           "            working.cancel()\n            canceled = canceled or error\n"),
    Mutant("an open process writes an older format than a file has", SQL + "writer.py",
           "formats.c.writable_since > literal_column(str(FORMAT))", 'formats.c.writable_since > literal_column("999")'),
    Mutant("an open process writes an older format than a server has", SQL + "writer.py",
           "WHERE writable_since > {FORMAT})", "WHERE writable_since > 999)"),
    Mutant("a silent server holds up a caller for minutes", SQL + "engines.py",
           "create_engine(url, connect_args=deadlines_for(url), **QUIET)", "create_engine(url)"),
    Mutant("one damaged document hides a whole page", SQL + "rows.py",
           "        except Unavailable as error:", "        except ZeroDivisionError as error:"),
    Mutant("a page with a damaged document is short, and a host takes it for the last", "src/rma/shell/read.py",
           "if not unreadable or len(found) != query.limit:", "if True:"),
    Mutant("commands that lost together meet again", "src/rma/shell/commit.py",
           "            await call(host.pause(longest_pause(attempt)))\n", ""),
    Mutant("a command that lost often pauses for hours", "src/rma/shell/commit.py",
           "return min(SHORTEST_PAUSE * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE)",
           "return SHORTEST_PAUSE * 2.0 ** min(attempt - 1, 10)"),
    Mutant("metadata of any size are stored", DOMAIN + "decide/checks.py",
           "(size := json_size(metadata)) > MAX_BYTES", "(size := json_size(metadata)) > 2**40"),
    Mutant("a rebuild forgets a later commit", DOMAIN + "views/differences.py",
           "if stored > rebuilt:", "if stored > rebuilt + 10**9:"),
    Mutant("a rebuild forgets a return", DOMAIN + "views/differences.py",
           "if where.startswith(tuple(SubjectKind)):", "if False:"),
    Mutant("a rebuild forgets a refund", DOMAIN + "views/differences.py",
           "if {refund.key for refund in before} - {refund.key for refund in after}:", "if False:"),
    Mutant("a rebuild takes back what was committed meanwhile", SQL + "rebuilding.py",
           "if last != ledger.revision:", "if False:"),
    Mutant("commits meanwhile count as damage", "src/rma/shell/repair.py",
           "if history == before:", "if True:"),
    Mutant("a rebuild leaves an effect that no timer finds", SQL + "rebuilding.py",
           '_COLUMNS = ("revision", "published", "waiting_since", "due_at",', '_COLUMNS = ("revision", "published", "waiting_since",'),
    Mutant("a release stops whenever another upgrades, even if that broke nothing", SQL + "preparing.py",
           "select(formats.c.writable_since)", "select(formats.c.format)"),
    Mutant("an upgrade that breaks lets older releases write on", SQL + "upgrades/__init__.py",
           "        if breaking:\n", "        if False:\n"),
    Mutant("an upgrade that breaks nothing stops older releases", SQL + "upgrades/__init__.py",
           "for each in needed if each.is_breaking]", "for each in needed]"),
    Mutant("an upgrade forgets a refund whose event is lost", SQL + "upgrades/orders.py",
           """{each["return_id"], *_refunds(each["document"], conversion)}""", """{each["return_id"]}"""),
    Mutant("an upgrade forgets a commit whose events are lost", SQL + "upgrades/orders.py",
           """if each["revision"] > rebuilt.revision]""", "if False]"),
    Mutant("what could not be upgraded is taken for the present format", SQL + "upgrades/orders.py",
           "            _write_documents(connection, table, of_table, left)\n", "            left.clear()\n"),
    Mutant("what was left once is never upgraded", SQL + "upgrades/orders.py",
           "return plain if _format(document) is None else json.loads(plain[\"document\"])", "return plain"),
    Mutant("a host's transaction locks the tables for an upgrade", SQL + "host_transaction.py",
           "if self._manage_schema and find_format(connection) is None:", "if self._manage_schema:"),
    Mutant("a service upgrades what administrators keep", SQL + "preparing.py",
           "    if not manage_schema:\n", "    if False:\n"),
    Mutant("an upgrade empties the host's tables on SQLite", SQL + "upgrades/tables.py",
           "    _require_no_foreign_keys(connection, name)\n", ""),
    Mutant("an upgrade breaks the host's views on SQLite", SQL + "upgrades/tables.py",
           """    run("PRAGMA legacy_alter_table = ON")  # a view of the host goes on naming the table\n""", ""),
    Mutant("a session in another time zone reads other times", SQL + "timestamps.py",
           """func.timezone("UTC", column)""", "column"),
    Mutant("a read that cannot be serialized is given up at once", SQL + "repetition.py",
           "if self._tries == TRIES:", "if True:"),
    Mutant("a statement that never can be serialized is repeated for ever", SQL + "repetition.py",
           "if self._tries == TRIES:", "if False:"),
    Mutant("in partitions, an id may repeat within its order", SQL + "partitions.py",
           "table.c[_ORDER_ID], unique=True)", "table.c[_ORDER_ID])"),
]  # fmt: skip

#: What runs against every mutant, in this order; the next only if the one before let it live.
STAGES = (("tests/rules",), ("tests/shell",), ("tests/laws",))

#: What runs against a mutant of the stores in databases instead.
SQL_STAGES = (("tests/sql",), ("tests/postgres", "tests/aio/test_sql.py"))

#: What runs first against the API over HTTP.
HTTP = tuple(f"tests/medusa/test_{name}.py" for name in ("keys", "requests", "slow_bodies"))

#: The tests that are most likely to kill a mutant of a path: they run before all others.
LIKELY = {
    "decide/claims": "claims",
    "state/claims": "claims",
    "decide/exchanges": "exchanges",
    "decide/linked": "exchanges",
    "decide/returns/request": "request",
    "decide/returns/receive": "receive",
    "decide/returns/resolve": "resolve",
    "decide/returns/cancel": "cancel",
    "decide/idempotency": "once",
    "decide/outcomes": "once",
    "decide/refunds/retry": "retry",
    "decide/refunds": "receive",
    "messages/gateways": "gateways",
    "messages/timing": "gateways",
    "state/ledger": "superseded",
    "change": "superseded",
    "messages/effects": "keys",
    "state/valuation": "receive",
    "state/return": "receive",
    "state/refunds": "record",
    "state/lifecycle": "states",
    "evolve": "once",
    "react": "once",
    "sale/policy": "request",
    "sale/pricing": "request",
    "values": "values",
    "views": "timeline",
}

#: A run that takes longer than this many seconds hangs, which is noticed.
PATIENCE = 900


def fits(mutant: Mutant) -> bool:
    """True if the text to be changed is in its file exactly once."""
    file = ROOT / mutant.path
    return file.exists() and file.read_text("utf-8").count(mutant.before) == 1


def stages(path: str) -> Iterator[tuple[str, ...]]:
    """What runs against a mutant of this file, one after the other."""
    if path.startswith(SQL):
        yield from SQL_STAGES
        return
    if "_api" in path:
        yield HTTP
    likely = next((f"tests/rules/test_{name}.py" for part, name in LIKELY.items() if part in path), None)
    if likely is not None and (ROOT / likely).exists():
        yield (likely,)
    yield from STAGES if path.startswith(DOMAIN) else sorted(STAGES, key=lambda each: "shell" not in each[0])


@contextmanager
def broken(mutant: Mutant, copy: Path) -> Iterator[None]:
    """The copy is changed meanwhile; what Python compiled from the changed file is removed."""
    file = copy / mutant.path
    text = file.read_text("utf-8")
    compiled = Path(importlib.util.cache_from_source(str(file)))
    try:
        file.write_text(text.replace(mutant.before, mutant.after), "utf-8")
        compiled.unlink(missing_ok=True)
        yield
    finally:
        file.write_text(text, "utf-8")
        compiled.unlink(missing_ok=True)


def run(tests: Sequence[str], copy: Path) -> str | None:
    """What failed first when these tests ran in the copy; None if they passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "RMA_TEST_PROFILE": "default"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"hung in {tests[0]}"
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else f"pytest ended with {done.returncode}: {done.stdout[-300:]}"


def verdict(mutant: Mutant, copies: "Queue[Path]") -> tuple[str, str]:
    """`killed` and by what, or `survived`."""
    copy = copies.get()
    try:
        with broken(mutant, copy):
            for tests in stages(mutant.path):
                if (by := run(tests, copy)) is not None:
                    return "killed", by
            return "survived", ""
    finally:
        copies.put(copy)


def copies_of_the_project(place: str, count: int) -> "Queue[Path]":
    """So many copies of the project, without what is hidden or made."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
    copies: Queue[Path] = Queue()
    for number in range(count):
        copies.put(shutil.copytree(ROOT, Path(place) / str(number), ignore=left_out))
    return copies


def judge(mutants: Iterable[Mutant]) -> int:
    """Runs the tests against these mutants, prints a line for each; how many were not killed."""
    begun, chosen = time.monotonic(), list(mutants)
    counts = {"killed": 0, "survived": 0}
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(workers) as pool:
        copies = copies_of_the_project(place, workers)
        copy = copies.get()
        unbroken = sorted({test for each in chosen for stage in stages(each.path) for test in stage})
        if (failed := run(unbroken, copy)) is not None:
            sys.stdout.write(f"nothing is broken yet, and this fails: {failed}\n")
            return len(chosen)
        copies.put(copy)
        running = {pool.submit(verdict, each, copies): each for each in chosen if fits(each)}
        for done in as_completed(running):
            how, by = done.result()
            counts[how] += 1
            sys.stdout.write(f"{how:12}  {running[done].harm}{f'  ({by})' if by else ''}\n")
            sys.stdout.flush()
    unfit = list_unfit(chosen)
    minutes, seconds = divmod(round(time.monotonic() - begun), 60)
    sys.stdout.write(
        f"{counts['killed']} of {len(chosen)} mutants killed, {counts['survived']} survived, "
        f"{unfit} do not fit; {minutes} min {seconds} s\n"
    )
    return len(chosen) - counts["killed"]


def list_unfit(mutants: Iterable[Mutant]) -> int:
    """Prints the mutants that no longer fit the code; how many there are."""
    unfit = [mutant for mutant in mutants if not fits(mutant)]
    for mutant in unfit:
        sys.stdout.write(f"{'does not fit':12}  {mutant.harm}  ({mutant.path})\n")
    return len(unfit)


def main(*arguments: str) -> int:
    """1 if anything is wrong, else 0."""
    words = [argument for argument in arguments if argument != "--fit"]
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.harm for word in words)]
    return int((list_unfit if "--fit" in arguments else judge)(chosen) > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
