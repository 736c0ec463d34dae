"""Numbers for the contract's words: kinds of events and enumerations, as they stand in the columns of a batch.

Numbers are kept in saved state, so they never change; new words go to the end.
"""

from enum import IntEnum
from typing import Any, get_args

from events import contract


class Kind(IntEnum):
    """The type of an event; the order is that of `contract.EVENT_TYPES`."""

    USAGE_RECORDED = 0
    NETWORK_INCIDENT = 1
    BILL_ISSUED = 2
    BILL_ADJUSTED = 3
    PAYMENT_RECEIVED = 4
    PAYMENT_REVERSED = 5
    BALANCE_TOPPED_UP = 6
    BALANCE_REPORTED = 7
    PLAN_CHANGED = 8
    CONTRACT_SIGNED = 9
    CONTRACT_ENDED = 10
    LINE_CHANGED = 11
    DEVICE_CHANGED = 12
    CUSTOMER_PROFILED = 13
    COMPLAINT_OPENED = 14
    COMPLAINT_UPDATED = 15
    COMPLAINT_RESOLVED = 16
    SURVEY_ANSWERED = 17
    CONTACT_RECORDED = 18
    PORTING_QUERIED = 19
    PORTING_REQUESTED = 20
    PORTING_ENDED = 21
    CANCELLATION_REQUESTED = 22
    MARKET_NOTED = 23
    CUSTOMER_NOTED = 24
    CUSTOMER_CHURNED = 25
    CUSTOMER_RETURNED = 26
    CARE_CONTACTED = 27
    CARE_RESOLVED = 28


FIRST_FREE_KIND = len(Kind)
"""Kinds from here on are the engine's own."""


def words(literal: Any) -> tuple[str, ...]:
    """The words of one of the contract's enumerations, in its order."""
    return tuple(get_args(literal))


def from_zero(literal: Any) -> dict[str, int]:
    """Codes 0, 1, ... for an enumeration that is always given."""
    return {word: code for code, word in enumerate(words(literal))}


def from_one(literal: Any) -> dict[str | None, int]:
    """Codes 1, 2, ... for an enumeration that may be absent, which is 0."""
    return {None: 0} | {word: code for code, word in enumerate(words(literal), start=1)}


CAUSES: tuple[str, ...] = words(contract.Cause)
"""`unknown` (0) and the ten causes, 1 to 10."""

CAUSE: dict[str | None, int] = {None: 0} | from_zero(contract.Cause)
SERVICE = from_zero(contract.Service)
PERIOD = from_zero(contract.Period)
DIRECTION = from_one(contract.Direction)
NETWORK = from_one(contract.Network)
PEER_NETWORK = from_one(contract.PeerNetwork)
INCIDENT_STATUS = from_zero(contract.IncidentStatus)
INITIATOR = from_one(contract.Initiator)
CONTRACT_KIND = from_one(contract.ContractKind)
LINE_STATUS = from_zero(contract.LineStatus)
PRODUCT = from_one(contract.Product)
COMPLAINT_STATUS = from_zero(contract.ComplaintStatus)
SURVEY = from_zero(contract.Survey)
TOPIC = from_one(contract.Topic)
PORTING_RESULT = from_zero(contract.PortingResult)
MARKET_KIND = from_zero(contract.MarketKind)
MANNER = from_one(contract.Manner)
CARE_PURPOSE = from_one(contract.CarePurpose)
CARE_OUTCOME = from_zero(contract.CareOutcome)
YES_NO: dict[bool | None, int] = {None: 0, False: 1, True: 2}

NAMES: dict[str, tuple[str, ...]] = {
    "cause": CAUSES,
    "service": words(contract.Service),
    "line_status": words(contract.LineStatus),
    "care_outcome": words(contract.CareOutcome),
}
"""Back from code to word where reports need it."""
