"""The rules of the shop, the reasons that customers give, and the ways back."""

from datetime import timedelta

from django.utils.translation import gettext_noop

from rma import (
    Bonus,
    Fee,
    Grade,
    Outcome,
    ReturnPolicy,
    ReturnReason,
    ReturnRule,
    ShippingOption,
    TaxLine,
    Timing,
    Window,
)
from rma.adapters.memory import InMemoryReturnReasons, InMemoryShippingOptions

_VAT = [TaxLine("19", code="vat")]
_ALL = [Outcome.REFUND, Outcome.STORE_CREDIT, Outcome.EXCHANGE]
_THANKS = Bonus("thanks", percent=10)

#: The shop's faults come back for two years at no cost, the carrier's for 30 days. Who changes
#: their mind has 30 days and pays for the way back; dear things are looked at before a label is printed, and
#: what was on sale is final.
POLICY = ReturnPolicy(
    name="shop",
    version="1",
    rules=[
        ReturnRule(
            name="our fault",
            when={"fault:merchant"},
            window=Window(730),
            outcomes=_ALL,
            way_back="merchant",
            charges_back="all_back",
        ),
        ReturnRule(
            name="broken on its way",
            when={"fault:carrier"},
            window=Window(30),
            outcomes=_ALL,
            way_back="merchant",
        ),
        ReturnRule(
            name="dear",
            when={"dear"},
            window=Window(30),
            outcomes=_ALL,
            bonus=_THANKS,
            review=True,
            fees=[Fee("handling", percent=5, tax_lines=_VAT)],
        ),
        ReturnRule(name="change of mind", when={"usual"}, window=Window(30), outcomes=_ALL, bonus=_THANKS),
    ],
    inspect=True,
    grades=[Grade("A", 100, "restock"), Grade("B", 70, "refurbish"), Grade("C", 0, "send_back")],
    return_within_days=14,
)

#: In a shop, minutes; here, seconds, so that one sees it.
TIMING = Timing(
    grace=timedelta(seconds=5), first_retry=timedelta(seconds=5), longest_retry=timedelta(minutes=1)
)

REASONS = [
    ReturnReason(id="mind", value="mind", label=gettext_noop("I changed my mind"), fault="customer"),
    ReturnReason(id="size", value="size", label=gettext_noop("It does not fit"), fault="customer"),
    ReturnReason(id="defect", value="defect", label=gettext_noop("It is defective"), fault="merchant"),
    ReturnReason(id="wrong", value="wrong", label=gettext_noop("I did not order this"), fault="merchant"),
    ReturnReason(id="transit", value="transit", label=gettext_noop("It arrived broken"), fault="carrier"),
]

LABEL = ShippingOption(
    id="label",
    name="Parcel",
    price=390,
    is_tax_inclusive=True,
    tax_lines=_VAT,
    location_id="warehouse",
)

reasons = InMemoryReturnReasons(REASONS)
shipping_options = InMemoryShippingOptions([LABEL])
