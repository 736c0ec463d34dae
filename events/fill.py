"""One declaration per event type: which of its fields go into which slot of an EVENT record.

A filler takes the struct and returns its `Slots`. It raises RefusedError where a field is outside what the contract
allows and the struct could not say so. `ref` and `aux` are ids and words that the engine only compares; they become
hashes.
"""

from collections.abc import Callable
from math import nan
from typing import Any

from msgspec import Struct

from events import codes, contract
from events.causes import cause_of_category, cause_of_text
from events.columns import ACCOUNT_GIVEN, COUNTRY_GIVEN, LINE_GIVEN
from events.deadletters import Reason, RefusedError
from events.times import date_of, time_of

HOUR_DECIDES = 255
"""A usage record's `b` until the local hour has told the period."""

USAGE = int(codes.Kind.USAGE_RECORDED)
CELL_PREFIX = "cell:"
MARKET_PREFIX = "market:"
NAMELESS = "\0{}\0{}"
"""What stands for the id of a contract that has none: its kind and plan, so that several at once are kept."""
SCALES = {"csat": 5.0, "nps": 10.0, "ces": 7.0}


class Slots(Struct, frozen=True, gc=False):
    """The part of an EVENT record that depends on the kind.

    A struct that the garbage collector does not follow: tuples would have it run all the time.
    """

    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0
    ref: str | None = None
    aux: str | None = None
    x0: float = nan
    x1: float = nan
    x2: float = nan
    x3: float = nan
    x4: float = nan
    x5: float = nan
    x6: float = nan


Filler = Callable[[Any], Slots]
FILLERS: dict[type[contract.Event], tuple[int, Filler]] = {}
"""The kind and the filler of each event type."""


def fills(kind: codes.Kind) -> Callable[[Filler], Filler]:
    """Register the filler of a kind."""

    def register(filler: Filler) -> Filler:
        FILLERS[contract.EVENT_TYPES[kind]] = (int(kind), filler)
        return filler

    return register


def flags_of(event: contract.Event) -> int:
    """The `flags` of an event."""
    flags = 0
    if event.account_id is not None:
        flags |= ACCOUNT_GIVEN
    if event.line_id is not None:
        flags |= LINE_GIVEN
    if type(event) is contract.UsageRecorded and event.country is not None:
        flags |= COUNTRY_GIVEN
    return flags


def number(value: float | None, absent: float = nan) -> float:
    """The number, or what stands for its absence."""
    return absent if value is None else value


def moment(text: str | None, field: str) -> float:
    """Microseconds UTC, NaN when absent; exact until the year 2255."""
    return nan if text is None else float(time_of(text, field))


@fills(codes.Kind.USAGE_RECORDED)
def _usage_recorded(event: contract.UsageRecorded) -> Slots:
    period = HOUR_DECIDES if event.period is None else codes.PERIOD[event.period]
    return Slots(
        codes.SERVICE[event.service],
        period,
        codes.DIRECTION[event.direction],
        codes.NETWORK[event.network],
        codes.PEER_NETWORK[event.peer_network],
        event.cell_id,
        event.peer,
        number(event.count, 1.0),
        event.seconds or 0.0,
        event.mb or 0.0,
        event.charge or 0.0,
        event.failed or 0.0,
        event.dropped or 0.0,
        number(event.mbps),
    )


@fills(codes.Kind.NETWORK_INCIDENT)
def _network_incident(event: contract.NetworkIncident) -> Slots:
    if event.customer_id != CELL_PREFIX + event.cell_id:
        raise RefusedError(Reason.OUT_OF_RANGE, f"customer_id is not {CELL_PREFIX}<cell_id>")
    return Slots(codes.INCIDENT_STATUS[event.status], ref=event.cell_id, aux=event.kind)


@fills(codes.Kind.BILL_ISSUED)
def _bill_issued(event: contract.BillIssued) -> Slots:
    return Slots(
        ref=event.bill_id,
        aux=event.currency,
        x0=event.amount,
        x1=number(event.plan_fee),
        x2=number(event.overage),
        x3=moment(event.due_at, "due_at"),
    )


@fills(codes.Kind.BILL_ADJUSTED)
def _bill_adjusted(event: contract.BillAdjusted) -> Slots:
    return Slots(ref=event.bill_id, aux=event.reason, x0=event.amount)


@fills(codes.Kind.PAYMENT_RECEIVED)
@fills(codes.Kind.PAYMENT_REVERSED)
def _payment(event: contract.PaymentReceived | contract.PaymentReversed) -> Slots:
    return Slots(ref=event.bill_id, aux=event.method, x0=event.amount)


@fills(codes.Kind.BALANCE_TOPPED_UP)
def _balance_topped_up(event: contract.BalanceToppedUp) -> Slots:
    return Slots(x0=event.amount, x1=number(event.balance))


@fills(codes.Kind.BALANCE_REPORTED)
def _balance_reported(event: contract.BalanceReported) -> Slots:
    return Slots(x0=event.balance, x1=moment(event.expires_at, "expires_at"))


@fills(codes.Kind.PLAN_CHANGED)
def _plan_changed(event: contract.PlanChanged) -> Slots:
    initiator, before, after = codes.INITIATOR[event.initiated_by], number(event.fee_before), number(event.fee_after)
    return Slots(initiator, ref=event.to_plan, aux=event.from_plan, x0=before, x1=after)


@fills(codes.Kind.CONTRACT_SIGNED)
def _contract_signed(event: contract.ContractSigned) -> Slots:
    return Slots(
        codes.CONTRACT_KIND[event.kind],
        ref=event.contract_id or NAMELESS.format(event.kind, event.plan),
        aux=event.plan,
        x0=number(event.monthly_fee),
        x1=number(event.term_months),
        x2=moment(event.ends_at, "ends_at"),
        x3=number(event.penalty),
    )


@fills(codes.Kind.CONTRACT_ENDED)
def _contract_ended(event: contract.ContractEnded) -> Slots:
    return Slots(ref=event.contract_id)


@fills(codes.Kind.LINE_CHANGED)
def _line_changed(event: contract.LineChanged) -> Slots:
    return Slots(codes.LINE_STATUS[event.status], codes.PRODUCT[event.product])


@fills(codes.Kind.DEVICE_CHANGED)
def _device_changed(event: contract.DeviceChanged) -> Slots:
    return Slots(codes.YES_NO[event.supports_5g], codes.YES_NO[event.dual_sim], ref=event.model)


@fills(codes.Kind.CUSTOMER_PROFILED)
def _customer_profiled(event: contract.CustomerProfiled) -> Slots:
    if isinstance(event.since, str):
        date_of(event.since, "since")
    return Slots()


@fills(codes.Kind.COMPLAINT_OPENED)
def _complaint_opened(event: contract.ComplaintOpened) -> Slots:
    cause = cause_of_category(event.category) or cause_of_text(event.text)
    return Slots(event.severity or 0, cause, ref=event.complaint_id, aux=event.category)


@fills(codes.Kind.COMPLAINT_UPDATED)
def _complaint_updated(event: contract.ComplaintUpdated) -> Slots:
    return Slots(
        codes.COMPLAINT_STATUS[event.status],
        event.severity or 0,
        cause_of_category(event.category),
        ref=event.complaint_id,
        aux=event.category,
        x0=moment(event.due_at, "due_at"),
    )


@fills(codes.Kind.COMPLAINT_RESOLVED)
def _complaint_resolved(event: contract.ComplaintResolved) -> Slots:
    return Slots(codes.YES_NO[event.satisfied], ref=event.complaint_id)


@fills(codes.Kind.SURVEY_ANSWERED)
def _survey_answered(event: contract.SurveyAnswered) -> Slots:
    scale = number(event.scale_max, SCALES[event.survey])
    if event.score > scale:
        raise RefusedError(Reason.OUT_OF_RANGE, "score is over scale_max")
    cause = cause_of_text(event.text)
    survey, topic = codes.SURVEY[event.survey], codes.TOPIC[event.topic]
    return Slots(survey, topic, cause, ref=event.complaint_id, x0=event.score, x1=scale)


@fills(codes.Kind.CONTACT_RECORDED)
def _contact_recorded(event: contract.ContactRecorded) -> Slots:
    return Slots(
        codes.DIRECTION[event.direction],
        codes.YES_NO[event.resolved],
        cause_of_category(event.purpose),
        ref=event.channel,
        aux=event.purpose,
        x0=number(event.wait_seconds),
        x1=number(event.transfers),
        x2=number(event.steps),
    )


@fills(codes.Kind.PORTING_QUERIED)
def _porting_queried(event: contract.PortingQueried) -> Slots:
    blockers = nan if event.blockers is None else float(len(event.blockers))
    return Slots(codes.YES_NO[event.eligible], x0=blockers)


@fills(codes.Kind.PORTING_REQUESTED)
def _porting_requested(event: contract.PortingRequested) -> Slots:
    return Slots(x0=moment(event.expires_at, "expires_at"))


@fills(codes.Kind.PORTING_ENDED)
def _porting_ended(event: contract.PortingEnded) -> Slots:
    return Slots(codes.PORTING_RESULT[event.result])


@fills(codes.Kind.CANCELLATION_REQUESTED)
def _cancellation_requested(event: contract.CancellationRequested) -> Slots:
    return Slots(b=cause_of_category(event.reason) or cause_of_text(event.reason))


@fills(codes.Kind.MARKET_NOTED)
def _market_noted(event: contract.MarketNoted) -> Slots:
    if not event.customer_id.startswith(MARKET_PREFIX):
        raise RefusedError(Reason.OUT_OF_RANGE, f"customer_id is not {MARKET_PREFIX}<region or all>")
    starts, ends = moment(event.starts_at, "starts_at"), moment(event.ends_at, "ends_at")
    return Slots(codes.MARKET_KIND[event.kind], ref=event.plan, aux=event.region, x0=starts, x1=ends)


@fills(codes.Kind.CUSTOMER_NOTED)
def _customer_noted(event: contract.CustomerNoted) -> Slots:
    text = isinstance(event.value, str)
    value = nan if event.value is None or isinstance(event.value, str) else float(event.value)
    return Slots(int(text), ref=event.code, x0=value, x1=moment(event.ends_at, "ends_at"))


@fills(codes.Kind.CUSTOMER_CHURNED)
def _customer_churned(event: contract.CustomerChurned) -> Slots:
    voluntary = int(event.voluntary is not False)
    return Slots(codes.CAUSE[event.reason], voluntary, codes.MANNER[event.manner], int(bool(event.to_competitor)))


@fills(codes.Kind.CUSTOMER_RETURNED)
def _customer_returned(_: contract.CustomerReturned) -> Slots:
    return Slots()


@fills(codes.Kind.CARE_CONTACTED)
def _care_contacted(event: contract.CareContacted) -> Slots:
    return Slots(codes.CARE_PURPOSE[event.purpose], ref=event.channel, aux=event.warning_id)


@fills(codes.Kind.CARE_RESOLVED)
def _care_resolved(event: contract.CareResolved) -> Slots:
    outcome, cause = codes.CARE_OUTCOME[event.outcome], codes.CAUSE[event.cause]
    return Slots(outcome, cause, ref=event.offer, aux=event.warning_id, x0=number(event.offer_cost))
