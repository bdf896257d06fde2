"""
The laws: what always holds, checked by our own stateful machine and by every `World`.

A law looks at one order with everything around it while no process acts, and yields a sentence for
each violation; nothing if it holds. `broken` asks all of them.
"""

from rma.testing.invariants.advance import (
    a_hold_ends_with_its_exchange,
    a_hold_is_charged_or_released,
    a_replaced_hold_is_released_and_never_charged,
    an_exchange_owes_what_its_goods_say,
    charges_stand_as_the_gateway_says,
    each_charge_is_made_once,
    new_goods_go_first_only_in_time,
    no_exchange_payment_gives_back_more_than_was_paid,
    nothing_is_charged_without_a_shortfall,
    what_is_written_off_was_owed,
    what_was_paid_beyond_the_difference_is_due,
)
from rma.testing.invariants.before_goods import (
    no_label_is_booked_before_approval,
    no_unit_is_paid_for_ahead_twice,
    nothing_that_was_sent_or_received_expires,
    what_is_due_is_not_paid,
    what_was_not_agreed_to_moves_nothing,
)
from rma.testing.invariants.books import (
    debits_are_credits,
    grants_come_to_what_is_entitled,
    notes_add_up,
    notes_are_numbered,
    notes_are_of_what_was_decided,
    notes_are_those_of_events,
    the_customer_account_is_what_is_open,
)
from rma.testing.invariants.goods import (
    a_carrier_books_once,
    new_goods_are_sent_once,
    receipts_say_what_is_here,
    restocks_say_what_is_sellable,
    stock_holds_what_is_sellable,
    units_are_conserved,
)
from rma.testing.invariants.inspections import (
    arrived_units_wait_or_are_somewhere,
    inspections_are_in_the_history,
    nothing_is_paid_before_it_is_judged,
    stock_is_asked_for_what_was_judged_so,
    what_goes_back_is_sent_once,
)
from rma.testing.invariants.means import (
    a_bonus_comes_with_credit,
    a_withdrawal_is_credited_by_request,
    each_payment_gives_back_its_own,
    no_more_is_given_back_than_was_paid,
    nothing_is_given_twice,
    only_goodwill_gives_extra_credit,
    refunds_are_multiples_of_their_steps,
)
from rma.testing.invariants.money import (
    a_claim_that_reduces_is_worth_what_it_takes,
    charges_are_given_back_once,
    each_return_is_paid_its_entitlement_and_no_more,
    every_amount_is_explained,
    exchange_differences_are_paid_once,
    fees_are_at_most_the_goods,
    more_than_the_value_has_a_note,
    no_payment_gives_back_more_than_it_captured,
    no_refund_is_made_twice,
    no_refund_is_made_unknown_to_the_ledger,
    no_refund_leaves_a_payment_without_room,
    no_refusal_moves_money,
    pools_are_what_returns_left,
    units_are_reduced_by_what_they_were_worth,
)
from rma.testing.invariants.records import (
    changed_by_a_repeat,
    each_open_effect_belongs_to_a_fact,
    every_event_is_published_in_order,
    every_key_fits_any_gateway,
    history_alone_rebuilds_the_ledger,
    the_order_version_counts_what_the_customer_notices,
    the_store_keeps_what_it_took,
    the_store_refuses_what_is_stale,
)
from rma.testing.invariants.replacements import (
    a_claim_gives_goods_or_money_instead,
    a_claim_without_new_goods_waits_for_a_person,
)
from rma.testing.invariants.rest import (
    is_on_its_way,
    labels_are_booked_for_returns_that_go_on,
    nothing_is_open,
    refunds_stand_as_the_gateway_says,
    what_is_in_force_left_the_payments,
    what_is_in_force_was_given_otherwise,
)
from rma.testing.invariants.snapshot import Invariant, Snapshot, broken

#: What holds whenever no process acts.
INVARIANTS: tuple[Invariant, ...] = (
    units_are_conserved,
    stock_holds_what_is_sellable,
    receipts_say_what_is_here,
    restocks_say_what_is_sellable,
    no_payment_gives_back_more_than_it_captured,
    no_refund_is_made_twice,
    no_refusal_moves_money,
    no_refund_is_made_unknown_to_the_ledger,
    no_refund_leaves_a_payment_without_room,
    each_return_is_paid_its_entitlement_and_no_more,
    every_amount_is_explained,
    new_goods_are_sent_once,
    a_claim_gives_goods_or_money_instead,
    a_claim_without_new_goods_waits_for_a_person,
    exchange_differences_are_paid_once,
    more_than_the_value_has_a_note,
    pools_are_what_returns_left,
    units_are_reduced_by_what_they_were_worth,
    a_claim_that_reduces_is_worth_what_it_takes,
    charges_are_given_back_once,
    fees_are_at_most_the_goods,
    history_alone_rebuilds_the_ledger,
    the_store_keeps_what_it_took,
    the_store_refuses_what_is_stale,
    the_order_version_counts_what_the_customer_notices,
    every_event_is_published_in_order,
    each_open_effect_belongs_to_a_fact,
    every_key_fits_any_gateway,
    a_carrier_books_once,
    no_label_is_booked_before_approval,
    what_was_not_agreed_to_moves_nothing,
    nothing_that_was_sent_or_received_expires,
    what_is_due_is_not_paid,
    no_unit_is_paid_for_ahead_twice,
    arrived_units_wait_or_are_somewhere,
    nothing_is_paid_before_it_is_judged,
    stock_is_asked_for_what_was_judged_so,
    what_goes_back_is_sent_once,
    inspections_are_in_the_history,
    no_more_is_given_back_than_was_paid,
    each_payment_gives_back_its_own,
    nothing_is_given_twice,
    a_withdrawal_is_credited_by_request,
    a_bonus_comes_with_credit,
    only_goodwill_gives_extra_credit,
    refunds_are_multiples_of_their_steps,
    a_hold_is_charged_or_released,
    a_hold_ends_with_its_exchange,
    an_exchange_owes_what_its_goods_say,
    what_was_paid_beyond_the_difference_is_due,
    new_goods_go_first_only_in_time,
    a_replaced_hold_is_released_and_never_charged,
    nothing_is_charged_without_a_shortfall,
    what_is_written_off_was_owed,
    each_charge_is_made_once,
    no_exchange_payment_gives_back_more_than_was_paid,
    notes_add_up,
    notes_are_of_what_was_decided,
    notes_are_numbered,
    notes_are_those_of_events,
    grants_come_to_what_is_entitled,
    debits_are_credits,
    the_customer_account_is_what_is_open,
)

#: What holds besides once faults have stopped, `resume` has nothing left, and every notification arrived.
INVARIANTS_AT_REST: tuple[Invariant, ...] = (
    nothing_is_open,
    refunds_stand_as_the_gateway_says,
    what_is_in_force_left_the_payments,
    what_is_in_force_was_given_otherwise,
    labels_are_booked_for_returns_that_go_on,
    charges_stand_as_the_gateway_says,
)

__all__ = [
    "INVARIANTS",
    "INVARIANTS_AT_REST",
    "Invariant",
    "Snapshot",
    "broken",
    "changed_by_a_repeat",
    "is_on_its_way",
]
