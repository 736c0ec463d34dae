"""The event types of the contract (docs: contract, section 1), one struct each.

A field that may be left out may also be null, which means the same; only `customer.profiled` tells the two apart,
because there a null clears. Unknown fields are ignored. What a struct cannot say (times, who may be called
`cell:`...) is checked where it is read, in `times.py` and `fill.py`.
"""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
MONEY_MOST = 9e14
"""Money is kept in an int64 of ten-thousandths: beyond this it would not fit."""
CHARGE_MOST, VOLUME_MOST, COUNT_MOST = 9e11, 9e9, 2e9
"""The most that one record may add to the sums of charges (money), of data (10^6 bytes), and of all else."""
REAL_MOST = 3e38
"""An operator's own numbers are kept in single precision."""
TERM_MOST = 12_000.0

Money: TypeAlias = Annotated[float, Meta(ge=-MONEY_MOST, le=MONEY_MOST)]
Amount: TypeAlias = Annotated[float, Meta(ge=0, le=MONEY_MOST)]
Charge: TypeAlias = Annotated[float, Meta(ge=0, le=CHARGE_MOST)]
Volume: TypeAlias = Annotated[float, Meta(ge=0, le=VOLUME_MOST)]
Count: TypeAlias = Annotated[float, Meta(ge=0, le=COUNT_MOST)]
Real: TypeAlias = Annotated[float, Meta(ge=-REAL_MOST, le=REAL_MOST)]
Severity: TypeAlias = Annotated[int, Meta(ge=1, le=4)]

Service: TypeAlias = Literal[
    "voice", "data", "sms", "mms", "voicemail", "international", "roaming", "broadband", "fixed", "tv", "iot", "other"
]
Period: TypeAlias = Literal["day", "evening", "night"]
Direction: TypeAlias = Literal["in", "out"]
Network: TypeAlias = Literal["2g", "3g", "4g", "5g", "fixed"]
PeerNetwork: TypeAlias = Literal["own", "other", "fixed", "foreign"]
IncidentStatus: TypeAlias = Literal["opened", "resolved"]
Initiator: TypeAlias = Literal["customer", "operator"]
ContractKind: TypeAlias = Literal["plan", "device", "broadband", "discount"]
LineStatus: TypeAlias = Literal[
    "active", "suspended_arrears", "suspended_request", "suspended_fraud", "suspended_lost", "transferred", "closed"
]
Product: TypeAlias = Literal["mobile", "broadband", "tv", "fixed", "iot"]
CustomerKind: TypeAlias = Literal["person", "family", "enterprise"]
PayMode: TypeAlias = Literal["prepaid", "postpaid"]
ComplaintStatus: TypeAlias = Literal["handled", "reopened", "escalated", "regulator"]
Survey: TypeAlias = Literal["csat", "nps", "ces"]
Topic: TypeAlias = Literal["network", "price", "service", "process", "competitor"]
PortingResult: TypeAlias = Literal["completed", "expired", "withdrawn"]
MarketKind: TypeAlias = Literal["competitor_offer", "regulation", "tariff", "season"]
Manner: TypeAlias = Literal["ported", "cancelled", "arrears", "silent"]
CarePurpose: TypeAlias = Literal["care", "marketing", "service", "survey"]
CareOutcome: TypeAlias = Literal[
    "retained", "declined", "unreachable", "callback", "do_not_contact", "false_alarm", "already_left"
]
Cause: TypeAlias = Literal[
    "unknown",
    "network",
    "process",
    "plan_fit",
    "competitor_price",
    "plan_price",
    "after_sales",
    "care",
    "personal",
    "regulation",
    "environment",
]


class Event(Struct, kw_only=True, frozen=True, gc=False, tag_field="type"):
    """What all events have. `occurred_at` is RFC 3339 with offset, still as text."""

    event_id: Id
    customer_id: Id
    occurred_at: str
    source: Annotated[str, Meta(max_length=128)] | None = None
    account_id: Id | None = None
    line_id: Id | None = None


class UsageRecorded(Event, kw_only=True, frozen=True, gc=False, tag="usage.recorded"):
    """Use of one service; totals over the record (seconds, 10^6 bytes, money), `mbps` a mean."""

    service: Service
    count: Count | None = None
    seconds: Count | None = None
    mb: Volume | None = None
    charge: Charge | None = None
    failed: Count | None = None
    dropped: Count | None = None
    mbps: Count | None = None
    period: Period | None = None
    direction: Direction | None = None
    network: Network | None = None
    peer_network: PeerNetwork | None = None
    country: str | None = None
    cell_id: Id | None = None
    peer: str | None = None


class NetworkIncident(Event, kw_only=True, frozen=True, gc=False, tag="network.incident"):
    """A fault of one cell opened or resolved; `customer_id` is `cell:<cell_id>`."""

    cell_id: Id
    status: IncidentStatus
    kind: str | None = None


class BillIssued(Event, kw_only=True, frozen=True, gc=False, tag="bill.issued"):
    """A bill; a negative amount is a credit."""

    bill_id: Id
    amount: Money
    currency: str | None = None
    plan_fee: Amount | None = None
    overage: Amount | None = None
    due_at: str | None = None


class BillAdjusted(Event, kw_only=True, frozen=True, gc=False, tag="bill.adjusted"):
    """A signed correction of a bill."""

    bill_id: Id
    amount: Money
    reason: str | None = None


class PaymentReceived(Event, kw_only=True, frozen=True, gc=False, tag="payment.received"):
    """Money in."""

    amount: Amount
    bill_id: Id | None = None
    method: str | None = None


class PaymentReversed(Event, kw_only=True, frozen=True, gc=False, tag="payment.reversed"):
    """Money in that went back."""

    amount: Amount
    bill_id: Id | None = None
    method: str | None = None


class BalanceToppedUp(Event, kw_only=True, frozen=True, gc=False, tag="balance.topped_up"):
    """A prepaid top-up, with the balance after it (which may be a debt)."""

    amount: Amount
    balance: Money | None = None


class BalanceReported(Event, kw_only=True, frozen=True, gc=False, tag="balance.reported"):
    """A prepaid balance, which may be a debt."""

    balance: Money
    expires_at: str | None = None


class PlanChanged(Event, kw_only=True, frozen=True, gc=False, tag="plan.changed"):
    """From one plan to another."""

    to_plan: str
    from_plan: str | None = None
    fee_before: Amount | None = None
    fee_after: Amount | None = None
    initiated_by: Initiator | None = None


class ContractSigned(Event, kw_only=True, frozen=True, gc=False, tag="contract.signed"):
    """A term commitment; several at once are usual."""

    contract_id: Id | None = None
    kind: ContractKind | None = None
    plan: str | None = None
    monthly_fee: Amount | None = None
    term_months: Annotated[float, Meta(ge=0, le=TERM_MOST)] | None = None
    ends_at: str | None = None
    device: str | None = None
    penalty: Amount | None = None


class ContractEnded(Event, kw_only=True, frozen=True, gc=False, tag="contract.ended"):
    """A commitment over; without an id, all of them, whether they were signed with one or not."""

    contract_id: Id | None = None


class LineChanged(Event, kw_only=True, frozen=True, gc=False, tag="line.changed"):
    """A line's status."""

    status: LineStatus
    product: Product | None = None


class DeviceChanged(Event, kw_only=True, frozen=True, gc=False, tag="device.changed"):
    """Another phone."""

    model: str | None = None
    supports_5g: bool | None = None
    dual_sim: bool | None = None


class CustomerProfiled(Event, kw_only=True, frozen=True, gc=False, tag="customer.profiled"):
    """Master data, merged into what is known: UNSET leaves a field alone, None clears it."""

    since: str | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    segment: str | UnsetType | None = UNSET
    kind: CustomerKind | UnsetType | None = UNSET
    pay_mode: PayMode | UnsetType | None = UNSET
    plan: str | UnsetType | None = UNSET
    monthly_fee: Amount | UnsetType | None = UNSET
    products: list[str] | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    age_band: str | UnsetType | None = UNSET
    timezone: str | UnsetType | None = UNSET
    manager: str | UnsetType | None = UNSET
    consent: dict[str, bool] | UnsetType | None = UNSET
    do_not_contact: bool | list[str] | UnsetType | None = UNSET
    profiling_objected: bool | UnsetType | None = UNSET
    attributes: dict[str, str | bool | Real | None] | UnsetType | None = UNSET


class ComplaintOpened(Event, kw_only=True, frozen=True, gc=False, tag="complaint.opened"):
    """A complaint; severity 1 low ... 4 critical."""

    complaint_id: Id
    channel: str | None = None
    category: str | None = None
    severity: Severity | None = None
    text: str | None = None
    language: str | None = None


class ComplaintUpdated(Event, kw_only=True, frozen=True, gc=False, tag="complaint.updated"):
    """A complaint on its way."""

    complaint_id: Id
    status: ComplaintStatus
    severity: Severity | None = None
    category: str | None = None
    due_at: str | None = None


class ComplaintResolved(Event, kw_only=True, frozen=True, gc=False, tag="complaint.resolved"):
    """A complaint closed, and whether the customer is content with it."""

    complaint_id: Id
    satisfied: bool | None = None


class SurveyAnswered(Event, kw_only=True, frozen=True, gc=False, tag="survey.answered"):
    """A score out of `scale_max` (5, 10, 7 for csat, nps, ces when absent); high is content.

    The effort score on seven points is agreement to "it was easy" (CES 2.0: Dixon et al., 2013, The Effortless Experience).
    """

    survey: Survey
    score: Count
    scale_max: Annotated[float, Meta(gt=0, le=COUNT_MOST)] | None = None
    topic: Topic | None = None
    complaint_id: Id | None = None
    text: str | None = None


class ContactRecorded(Event, kw_only=True, frozen=True, gc=False, tag="contact.recorded"):
    """A contact the customer had with us."""

    channel: str
    direction: Direction
    purpose: str | None = None
    wait_seconds: Count | None = None
    transfers: Count | None = None
    steps: Count | None = None
    resolved: bool | None = None


class PortingQueried(Event, kw_only=True, frozen=True, gc=False, tag="porting.queried"):
    """The customer asked whether the number may be ported out."""

    eligible: bool | None = None
    blockers: list[Any] | None = None


class PortingRequested(Event, kw_only=True, frozen=True, gc=False, tag="porting.requested"):
    """A port-out code was issued."""

    expires_at: str | None = None


class PortingEnded(Event, kw_only=True, frozen=True, gc=False, tag="porting.ended"):
    """What became of a port-out code."""

    result: PortingResult


class CancellationRequested(Event, kw_only=True, frozen=True, gc=False, tag="cancellation.requested"):
    """The customer asked to be cancelled."""

    reason: str | None = None


class MarketNoted(Event, kw_only=True, frozen=True, gc=False, tag="market.noted"):
    """Something in the market; `customer_id` is `market:<region or all>`."""

    kind: MarketKind
    region: str | None = None
    plan: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None


class CustomerNoted(Event, kw_only=True, frozen=True, gc=False, tag="customer.noted"):
    """An operator's own signal."""

    code: Id
    value: str | bool | Real | None = None
    ends_at: str | None = None


class CustomerChurned(Event, kw_only=True, frozen=True, gc=False, tag="customer.churned"):
    """The customer left; voluntary unless said otherwise."""

    reason: Cause | None = None
    voluntary: bool | None = None
    manner: Manner | None = None
    to_competitor: str | None = None


class CustomerReturned(Event, kw_only=True, frozen=True, gc=False, tag="customer.returned"):
    """Won back."""


class CareContacted(Event, kw_only=True, frozen=True, gc=False, tag="care.contacted"):
    """A contact we made."""

    channel: str
    purpose: CarePurpose | None = None
    warning_id: Id | None = None
    agent: str | None = None


class CareResolved(Event, kw_only=True, frozen=True, gc=False, tag="care.resolved"):
    """What came of a warning, and the cause as found."""

    warning_id: Id
    outcome: CareOutcome
    cause: Cause | None = None
    offer: str | None = None
    offer_cost: Amount | None = None
    agent: str | None = None
    note: str | None = None


EVENT_TYPES: tuple[type[Event], ...] = (
    UsageRecorded,
    NetworkIncident,
    BillIssued,
    BillAdjusted,
    PaymentReceived,
    PaymentReversed,
    BalanceToppedUp,
    BalanceReported,
    PlanChanged,
    ContractSigned,
    ContractEnded,
    LineChanged,
    DeviceChanged,
    CustomerProfiled,
    ComplaintOpened,
    ComplaintUpdated,
    ComplaintResolved,
    SurveyAnswered,
    ContactRecorded,
    PortingQueried,
    PortingRequested,
    PortingEnded,
    CancellationRequested,
    MarketNoted,
    CustomerNoted,
    CustomerChurned,
    CustomerReturned,
    CareContacted,
    CareResolved,
)
"""Every event type; the position is its kind (`codes.Kind`)."""


def event_type(struct: type[Event]) -> str:
    """The contract's name of an event type, `usage.recorded` for `UsageRecorded`."""
    return str(struct.__struct_config__.tag)


TYPE_NAMES: tuple[str, ...] = tuple(event_type(struct) for struct in EVENT_TYPES)

AnyEvent: Any = reduce(or_, EVENT_TYPES)
"""The union of them all, told apart by `type`."""

DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)
"""Reads one JSON object into its struct; shared, as decoders hold no state."""
