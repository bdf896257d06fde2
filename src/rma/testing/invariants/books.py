"""Laws of credit notes and postings."""

from collections import defaultdict
from collections.abc import Iterator

from rma.domain.state.lifecycle import RefundStatus
from rma.domain.state.refunds import Refund
from rma.domain.state.returns import Return
from rma.domain.views.notes import NoteAmount, credit_notes
from rma.domain.views.postings import Account, postings
from rma.testing.invariants.snapshot import Snapshot


def notes_add_up(snapshot: Snapshot) -> Iterator[str]:
    """Lines and charges less allowances are the net amount, and with all taxes the total."""
    for note in credit_notes(snapshot.ledger):
        parts: list[tuple[int, NoteAmount]] = [(1, each) for each in (*note.lines, *note.charges)]
        parts += [(-1, each) for each in note.allowances]
        net = sum(sign * each.net.amount for sign, each in parts)
        tax = sum(sign * each.tax.amount for sign, each in parts)
        taxes = sum(each.amount.amount for each in note.taxes)
        if (net, tax) != (note.net.amount, taxes) or net + tax != note.total.amount:
            yield f"{note.id}: {net} and {tax}, {taxes} by rates, but {note.net} and {note.total}"
        yield from [
            f"{note.id}: {each.name} of {each.net} is taxed as {taxed.base}"
            for _, each in parts
            for taxed in each.taxes
            if taxed.base != each.net
        ]


def notes_are_of_what_was_decided(snapshot: Snapshot) -> Iterator[str]:
    """No note has units only to take all of them off again, because a person has yet to decide."""
    for note in credit_notes(snapshot.ledger):
        if not note.total.amount and any(each.name == "undecided" for each in note.allowances):
            yield f"{note.id} comes to nothing"


def notes_are_numbered(snapshot: Snapshot) -> Iterator[str]:
    """Those of each return and claim from 1, without gaps; no exchange has any."""
    counts: defaultdict[str, int] = defaultdict(int)
    for note in credit_notes(snapshot.ledger):
        counts[note.payee_id] += 1
        if note.id != f"{note.payee_id}-note-{counts[note.payee_id]}":
            yield f"{note.id}: the {counts[note.payee_id]}. of {note.payee_id}"
    exchanges = {each.id for each in snapshot.ledger.exchanges}
    if sold := exchanges & counts.keys():
        yield f"credit notes of {sold}"


def notes_are_those_of_events(snapshot: Snapshot) -> Iterator[str]:
    """What the ledger has is what its events granted, in their order: a note never changes."""
    recorded = tuple(grant for event in snapshot.whole_history for grant in event.header.grants)
    if recorded != snapshot.ledger.grants:
        yield f"{len(recorded)} grants in the history, {len(snapshot.ledger.grants)} in the ledger"


def grants_come_to_what_is_entitled(snapshot: Snapshot) -> Iterator[str]:
    """
    All grants of a return or claim together are what its customer is entitled to.

    Of a return whose goods pay for new ones, they are the value of its goods: what is entitled without what
    is set against them, and without what is owed.
    """
    total: defaultdict[str, int] = defaultdict(int)
    for grant in snapshot.ledger.grants:
        total[grant.subject_id] += grant.total
    for each in snapshot.payees:
        expected = each.entitlement.entitled.amount
        if isinstance(each, Return) and each.exchange_id is not None:
            against = sum(part.amount.amount for part in each.charges) + each.valuation.owed
            expected = expected - against if each.received_at is not None else 0
        if total[each.id] != expected:
            yield f"{each.id}: {total[each.id]} granted, {expected} expected"
    for exchange in snapshot.ledger.exchanges:
        target = snapshot.ledger.get(exchange.return_id)
        sold = sum(part.amount.amount for part in target.charges if part.amount.amount < 0)
        less = exchange.written_off.amount
        if exchange.is_sent and total[exchange.id] != sold + less and target.is_exchanged:
            yield f"{exchange.id}: {total[exchange.id]} sold less {less}, {sold} set against goods"
        if not exchange.is_sent and total[exchange.id]:
            yield f"{exchange.id}: {total[exchange.id]} sold, nothing was sent"


def debits_are_credits(snapshot: Snapshot) -> Iterator[str]:
    """Of every event."""
    for event in snapshot.whole_history:
        found = postings(event)
        debits = sum(each.debit.amount for each in found)
        credits = sum(each.credit.amount for each in found)  # noqa: A001 # the trade's word
        if debits != credits or any(min(each.debit.amount, each.credit.amount) < 0 for each in found):
            yield f"{event.event_id}: debits of {debits}, credits of {credits}"


def the_customer_account_is_what_is_open(snapshot: Snapshot) -> Iterator[str]:
    """
    What was granted and paid by the customer, less what was sold and what was given back.

    So it is 0 once nothing is due, owed, overpaid or left to a later refund.
    """
    balance = 0
    for event in snapshot.whole_history:
        for each in postings(event):
            if each.account is Account.CUSTOMER:
                balance += each.credit.amount - each.debit.amount
    expected = sum(grant.total for grant in snapshot.ledger.grants)
    expected += sum(each.paid.amount for each in snapshot.ledger.exchanges)
    expected -= sum(map(_moved, snapshot.ledger.refunds))
    if balance != expected:
        yield f"{balance} on the customer's account, {expected} open"


def _moved(refund: Refund) -> int:
    is_moved = refund.status is RefundStatus.SUCCEEDED or refund.is_contradicted
    return refund.amount_in_force if is_moved else 0
