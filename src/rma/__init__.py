"""
Returns (RMA) as a pure domain library.

The order below is the order in which to read: what a host hands in, what it asks, what comes back, what
happened, what is asked of ports, what can go wrong.
"""

from rma.aio import AsyncReturnService
from rma.domain.change import Change, replay
from rma.domain.decide.facts import Facts, HostRule
from rma.domain.events import (
    AdvanceCharged,
    AdvanceShipped,
    AdvanceWrittenOff,
    ChargeOutcomeRecorded,
    ClaimCanceled,
    ClaimCompleted,
    ClaimPayoutRecorded,
    ClaimRefundRetried,
    ClaimRequested,
    ClaimResolved,
    DeliveryChanged,
    EffectOutcome,
    EffectsAttempted,
    Event,
    EventHeader,
    EventsPublished,
    ExchangeCanceled,
    ExchangePaid,
    ExchangePaymentRefunded,
    ExchangeReceived,
    ExchangeRequested,
    ExchangeUpdated,
    GoodsInspected,
    GoodsReceived,
    HistoryArchived,
    HoldReleased,
    KnownOutcomeReported,
    OrderRedacted,
    PaidAhead,
    PayoutRecorded,
    PriceReduced,
    ReceiptCorrected,
    RefundBlocked,
    RefundOutcomeRecorded,
    RefundRetried,
    ReturnApproved,
    ReturnCanceled,
    ReturnDeclined,
    ReturnExpired,
    ReturnOverdue,
    ReturnRequested,
    ReturnResolved,
    ReturnSent,
    ReturnUpdated,
    ShipmentRenewed,
)
from rma.domain.messages.advance import (
    ChargeAnswer,
    ChargeDeclined,
    ChargeNotSent,
    ChargeOutcome,
    ChargePending,
    ChargeRequest,
    ChargeSucceeded,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
    VariantLine,
)
from rma.domain.messages.command_items import (
    ApprovedItem,
    ClaimedCharge,
    ClaimItem,
    CorrectedForeign,
    CorrectedItem,
    ForeignDecision,
    ForeignItem,
    InspectedItem,
    MissingItem,
    ReceivedItem,
    RejectedItem,
    RequestedItem,
)
from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RenewShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.messages.effects import (
    CancelShipmentRequest,
    CreditRequest,
    Delivery,
    DisposeRequest,
    Effect,
    OpenEffect,
    PayoutRequest,
    RefundAnswer,
    RefundDeclined,
    RefundNotSent,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    SendBackRequest,
    StockLine,
    WithdrawRequest,
)
from rma.domain.messages.gateways import Gateway, Idempotent, NotIdempotent, Searchable
from rma.domain.messages.timing import Timing
from rma.domain.redaction import redacted
from rma.domain.sale.bonus import Bonus
from rma.domain.sale.catalogue import Fault, ReturnReason, ShippingMethod, ShippingOption
from rma.domain.sale.charges import Charge, ChargesBack, RefundedCharge
from rma.domain.sale.eligibility import FailedRule
from rma.domain.sale.fees import Fee, FeePer
from rma.domain.sale.grades import Grade
from rma.domain.sale.hold import Hold, Ship
from rma.domain.sale.means import Means, RefundTerms, Split, WhenClosed
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Adjustment, LineItem, Order, OrderStatus, Payment
from rma.domain.sale.paying import PayOn
from rma.domain.sale.policy import ReturnPolicy, Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Goods, Outcome, ReturnRule, RuleTerms, WayBack
from rma.domain.sale.ruling import HostAnswer, Review, Ruling
from rma.domain.sale.windows import Calendar, Window, WindowEnd, WindowStart
from rma.domain.sale.withdrawal import DueFrom, ReturnBasis, Withdrawal
from rma.domain.state.at_the_dock import CorrectedUnits, Correction, ForeignGoods, StockWithdrawal
from rma.domain.state.claims import Claim, ClaimedItem, ClaimReason, ClaimType
from rma.domain.state.entitlement import Entitlement, EntitlementChange
from rma.domain.state.exchanges import Exchange, ExchangePayment, HoldCharge, WriteOff
from rma.domain.state.graded_units import GradedUnits
from rma.domain.state.grants import Grant, GrantedAmount, GrantedTax
from rma.domain.state.inspection import Inspection
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject, SubjectKind
from rma.domain.state.lifecycle import ChargeStatus, ClaimStatus, ExchangeStatus, RefundStatus, ReturnStatus
from rma.domain.state.lots import ReducedBy
from rma.domain.state.movements import MoneyMoved
from rma.domain.state.plan import PlannedRefund
from rma.domain.state.refunds import PaymentShare, Refund
from rma.domain.state.return_item import ItemChanges, ItemUnits, ReturnItem, RevisedItem
from rma.domain.state.returns import Decision, Receipt, ReceiptItem, Resolution, Return, Sending
from rma.domain.values.errors import (
    Conflict,
    IdempotencyKeyReused,
    Invalid,
    InvalidValue,
    NotAllowed,
    NotFound,
    Rejected,
    RmaError,
    StaleLedger,
    StaleOrder,
    Unavailable,
    Violation,
)
from rma.domain.values.money import Money
from rma.domain.values.personal import PersonalField
from rma.domain.values.tax import TaxLine, TaxRate
from rma.domain.views.differences import Difference
from rma.domain.views.export import OrderExport
from rma.domain.views.notes import CreditNote, NoteAmount, NoteLine, NoteTax, note_of
from rma.domain.views.order_state import FulfillmentStatus, OrderState, PaymentStatus
from rma.domain.views.outstanding import OutstandingEffect
from rma.domain.views.postings import Account, Posting, postings
from rma.domain.views.query import ReturnQuery, UnreadableSubject
from rma.domain.views.quotes import ExchangeQuote, HoldNeeded, Quote, QuotedItem
from rma.domain.views.returnable import ReducedUnits, ReturnableItem, ReturnOption
from rma.domain.views.timeline import TimelineEntry
from rma.domain.views.transactions import OrderTransaction
from rma.observing import (
    AttentionNeeded,
    CommandHandled,
    CommitConflicted,
    DocumentUnreadable,
    EffectDelivered,
    EffectFailed,
    LoggingObserver,
    Observer,
    PublishingFailed,
    Signal,
    StoringFailed,
)
from rma.ports import (
    BindableReturns,
    BoundReturns,
    ChargeLookup,
    Clock,
    CreditLookup,
    Credits,
    Disposal,
    EventPublisher,
    Fulfillment,
    Holds,
    IdFactory,
    Inventory,
    OrderRepository,
    Pause,
    Payments,
    PayoutLookup,
    Payouts,
    PolicyProvider,
    RedactableReturns,
    RefundLookup,
    RepairableReturns,
    Reservations,
    ReturnReasonRepository,
    ReturnRepository,
    SendingBack,
    ShipmentLookup,
    ShippingOptionRepository,
)
from rma.service import ReturnService
from rma.shell.resume import ResumeResult

__all__ = [  # noqa: RUF022 # in reading order
    # what a host hands in
    "Money", "Order", "OrderStatus", "LineItem", "Adjustment", "TaxLine", "TaxRate", "Payment",
    "ShippingMethod",
    "ShippingOption", "ReturnReason", "ReturnPolicy", "Fee", "Grade", "Terms",
    "Charge", "ReturnRule", "Outcome", "WayBack", "Goods", "ChargesBack", "Fault", "FeePer", "PayOn",
    "Withdrawal", "ReturnBasis", "DueFrom", "Window", "WindowStart", "WindowEnd", "Calendar",
    "HostRule", "Facts", "Review", "Means", "Split", "WhenClosed", "Bonus",
    # what it asks
    "ReturnService", "AsyncReturnService", "Command", "RequestReturn", "RequestedItem",
    "ApproveReturn", "ApprovedItem", "DeclineReturn", "UpdateReturn", "RecordSending", "ExpireReturn",
    "RenewShipment", "ReceiveReturn", "ReceivedItem", "ReceiveUnannounced", "ForeignItem",
    "CorrectReceipt", "CorrectedItem", "CorrectedForeign", "InspectReturn", "InspectedItem",
    "ResolveReturn", "RejectedItem", "MissingItem", "ForeignDecision",
    "CancelReturn", "RetryRefund", "RecordRefundOutcome", "RecordPayout",
    "RequestExchange", "NewItem", "Ship", "Hold", "RecordExchangePayment", "UpdateExchange",
    "SettleAdvance", "RecordChargeOutcome", "CancelExchange", "RequestClaim", "ClaimItem",
    "ClaimedCharge", "ResolveClaim", "CancelClaim",
    # what comes back
    "Return", "ReturnStatus", "Decision", "Sending",
    "ReturnItem", "Receipt", "ReceiptItem", "ForeignGoods", "Correction", "CorrectedUnits", "StockWithdrawal",
    "Inspection", "GradedUnits", "Resolution", "Entitlement", "Refund",
    "RefundStatus", "AmountPart", "Exchange", "ExchangeStatus", "ExchangePayment", "HoldCharge", "WriteOff",
    "ChargeStatus", "Claim", "ClaimedItem",
    "ReducedBy", "ClaimType", "ClaimReason", "ClaimStatus", "Quote", "ExchangeQuote", "HoldNeeded",
    "QuotedItem", "ReturnableItem", "ReducedUnits", "ReturnOption", "FailedRule", "RuleTerms", "Ruling",
    "HostAnswer", "RefundedCharge", "PaymentShare", "PlannedRefund", "RefundTerms",
    "OrderState", "FulfillmentStatus", "PaymentStatus", "OrderTransaction", "TimelineEntry", "ResumeResult",
    "OutstandingEffect", "Difference", "OrderExport", "CreditNote", "NoteLine", "NoteAmount", "NoteTax",
    # what happened
    "Event", "EventHeader", "ReturnRequested", "ReturnApproved", "ReturnDeclined",
    "ReturnUpdated", "ReturnSent", "ReturnExpired", "ReturnOverdue", "ShipmentRenewed",
    "GoodsReceived", "ReceiptCorrected", "GoodsInspected", "ReturnResolved", "PaidAhead",
    "RefundBlocked", "RefundRetried", "PayoutRecorded",
    "ReturnCanceled", "RefundOutcomeRecorded", "ExchangeRequested", "AdvanceShipped",
    "ExchangeReceived", "ExchangePaid", "ExchangeUpdated", "AdvanceCharged", "HoldReleased",
    "AdvanceWrittenOff", "ChargeOutcomeRecorded", "ExchangeCanceled", "ExchangePaymentRefunded",
    "ClaimRequested", "PriceReduced", "ClaimCompleted", "ClaimRefundRetried",
    "ClaimPayoutRecorded", "ClaimResolved", "ClaimCanceled",
    "DeliveryChanged", "EffectsAttempted", "EffectOutcome", "EventsPublished",
    "KnownOutcomeReported", "HistoryArchived", "OrderRedacted", "redacted", "PersonalField",
    "EntitlementChange", "ItemChanges", "ItemUnits", "RevisedItem", "replay",
    "Grant", "GrantedAmount", "GrantedTax", "MoneyMoved", "postings", "Posting", "Account", "note_of",
    # what is asked of ports
    "Delivery", "Effect", "RefundRequest", "CreditRequest", "PayoutRequest",
    "RefundOutcome", "RefundSucceeded", "RefundPending",
    "RefundDeclined", "RefundNotSent", "RefundAnswer",
    "RefundReversed", "RestockRequest", "WithdrawRequest", "DisposeRequest", "SendBackRequest", "StockLine",
    "ReturnShipmentRequest",
    "ReturnShipment", "CancelShipmentRequest", "ReplacementRequest", "ReplacementShipment",
    "OutOfStock", "ChargeRequest", "ChargeOutcome", "ChargeSucceeded", "ChargePending", "ChargeDeclined",
    "ChargeNotSent", "ChargeAnswer", "ReleaseRequest", "ReserveRequest", "ReleaseReservationRequest",
    "VariantLine",
    # the ports, and what a repository stores
    "OrderRepository", "ReturnRepository", "BoundReturns", "BindableReturns", "RepairableReturns",
    "RedactableReturns", "ReturnQuery", "Subject",
    "UnreadableSubject", "SubjectKind", "ReturnLedger",
    "OpenEffect", "IdempotencyRecord", "Change",
    "Payments", "RefundLookup", "Gateway", "Idempotent", "Searchable", "NotIdempotent", "Inventory",
    "Credits", "CreditLookup", "Payouts", "PayoutLookup",
    "Disposal", "Reservations", "SendingBack", "Holds", "ChargeLookup",
    "Fulfillment", "ShippingOptionRepository", "ReturnReasonRepository", "EventPublisher", "Clock",
    "IdFactory", "PolicyProvider", "ShipmentLookup", "Pause", "Timing", "Observer", "LoggingObserver",
    "Signal", "CommandHandled", "CommitConflicted", "EffectDelivered", "EffectFailed", "AttentionNeeded",
    "PublishingFailed", "StoringFailed", "DocumentUnreadable",
    # what can go wrong
    "RmaError", "Rejected", "NotFound", "NotAllowed", "Invalid", "IdempotencyKeyReused", "Violation",
    "Conflict", "StaleLedger", "StaleOrder", "Unavailable", "InvalidValue",
]  # fmt: skip
