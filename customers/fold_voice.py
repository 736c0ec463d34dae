"""How complaints, surveys, contacts, signs of leaving and outcomes change a customer."""

from __future__ import annotations

import numpy as np

from customers.fold_facts import second
from customers.layout import CODE_UNKNOWN, FAR, A, C, F, S, T
from customers.metrics import METRIC
from customers.pools import SETTLED, complaint
from customers.rings import Slots, add
from customers.stands import is_newest, older, standing, stands, version_of
from customers.state import Pools
from events.codes import CARE_OUTCOME, CARE_PURPOSE, Kind
from events.compiled import compiled

_OPENED, _UPDATED, _RESOLVED = int(Kind.COMPLAINT_OPENED), int(Kind.COMPLAINT_UPDATED), int(Kind.COMPLAINT_RESOLVED)
_SURVEY, _CONTACT = int(Kind.SURVEY_ANSWERED), int(Kind.CONTACT_RECORDED)
_QUERIED, _REQUESTED, _PORT_ENDED = int(Kind.PORTING_QUERIED), int(Kind.PORTING_REQUESTED), int(Kind.PORTING_ENDED)
_CANCEL = int(Kind.CANCELLATION_REQUESTED)
_CHURNED, _RETURNED = int(Kind.CUSTOMER_CHURNED), int(Kind.CUSTOMER_RETURNED)
_CARE, _CARE_RESOLVED = int(Kind.CARE_CONTACTED), int(Kind.CARE_RESOLVED)

_A_COMPLAINT, _A_REGULATOR, _A_CONTACT, _A_CARE = A["complaint"], A["regulator"], A["contact"], A["care_contact"]
_A_QUERIED, _A_REQUESTED, _A_EXPIRES = A["porting_queried"], A["porting_requested"], A["porting_expires"]
_A_PORT_ENDED, _A_CANCEL, _A_SURVEY = A["porting_ended"], A["cancellation_requested"], A["survey"]
_A_DISSATISFIED, _A_OFFER = A["dissatisfied"], A["offer"]
_C_CAUSE, _C_SEVERITY, _C_SATISFIED = C["complaint_cause"], C["complaint_severity"], C["last_satisfied"]
_C_ELIGIBLE, _C_CANCEL, _C_CHURNED, _C_CARE = (
    C["porting_eligible"],
    C["cancellation_cause"],
    C["churned"],
    C["care_outcome"],
)
_F_SURVEY, _F_TOPIC, _F_BLOCKERS, _F_COST = (
    F["survey_last"],
    F["survey_topic"],
    F["porting_blockers"],
    F["offer_cost"],
)
_COMPLAINTS, _REOPENED, _UNSATISFIED = METRIC["complaints"], METRIC["reopened"], METRIC["unsatisfied"]
_SURVEY_SUM, _SURVEYS = METRIC["survey_sum"], METRIC["survey_count"]
_CONTACTS, _WAIT, _TRANSFERS = METRIC["contacts"], METRIC["wait_seconds"], METRIC["transfers"]
_STEPS, _UNRESOLVED = METRIC["contact_steps"], METRIC["unresolved_contacts"]
_CARE_CONTACTS, _QUERIES = METRIC["care_contacts"], METRIC["porting_queries"]
_DUE, _AWAKE = T["next_due"], T["awake_at"]
_S_SURVEY, _S_TOPIC, _S_QUERIED = S["survey"], S["survey_topic"], S["porting_queried"]
_S_REQUESTED, _S_ENDED, _S_WITHDRAWN = S["porting_requested"], S["porting_ended"], S["porting_withdrawn"]
_S_CANCEL, _S_OUTCOME, _S_RETURNED = S["cancellation"], S["outcome"], S["returned"]
_S_CARE, _S_LEAVE_ALONE = S["care_outcome"], S["do_not_contact"]

# A survey's topic, as a cause: network, plan_price, after_sales, process, competitor_price.
_CAUSE_OF_TOPIC = np.array([0, 1, 5, 6, 2, 4])
# What a return makes void: the fact that stands, and the two ages it set.
_VOID = (
    (_S_QUERIED, _A_QUERIED, _A_QUERIED),
    (_S_REQUESTED, _A_REQUESTED, _A_EXPIRES),
    (_S_ENDED, _A_PORT_ENDED, _A_PORT_ENDED),
    (_S_CANCEL, _A_CANCEL, _A_CANCEL),
)
_REOPENED_STATUS, _REGULATOR_STATUS = 2, 4
_DISSATISFIED = 0.4
_MARKETING = CARE_PURPOSE["marketing"]
_LEAVE_ALONE, _C_DO_NOT_CONTACT = CARE_OUTCOME["do_not_contact"], C["do_not_contact"]
_C_CONTACT = C["contact_cause"]


@compiled
def _fold_complaint(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    j, at = complaint(r, p, e["ref"], now), np.int64(e["at"])
    if e["kind"] == _OPENED:
        if p.complaints[j]["counted"] == 0:
            p.complaints[j]["counted"] = 1
            add(r, _COMPLAINTS, 1.0, slots)
            r["ages"][_A_COMPLAINT] = second(now)
            r["codes"][_C_SEVERITY] = e["a"] if e["a"] > 0 else CODE_UNKNOWN
            r["codes"][_C_CAUSE] = e["b"] if e["b"] > 0 else CODE_UNKNOWN
        p.complaints[j]["severity"] = max(p.complaints[j]["severity"], e["a"])
        if e["b"] > 0:
            p.complaints[j]["cause"] = e["b"]
        return
    newest = at >= p.complaints[j]["changed"]
    if e["kind"] == _UPDATED:
        status = e["a"] + 1  # handled, reopened, escalated, regulator
        p.complaints[j]["severity"] = max(p.complaints[j]["severity"], e["b"])
        if e["c"] > 0:
            p.complaints[j]["cause"] = e["c"]
            r["codes"][_C_CAUSE] = e["c"]
        if status == _REOPENED_STATUS:
            add(r, _REOPENED, 1.0, slots)
        if status == _REGULATOR_STATUS:
            r["ages"][_A_REGULATOR] = second(now)
        if newest and not np.isnan(e["x"][0]):
            p.complaints[j]["due"] = np.int64(e["x"][0])
    else:
        status = np.uint8(SETTLED)
        if e["a"] == 1:
            add(r, _UNSATISFIED, 1.0, slots)
            r["ages"][_A_DISSATISFIED] = second(now)
        if newest:
            r["codes"][_C_SATISFIED] = e["a"] - 1 if e["a"] > 0 else CODE_UNKNOWN
    if newest:
        p.complaints[j]["status"] = status
        p.complaints[j]["changed"] = at


@compiled
def _fold_survey(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    span = max(e["x"][1], 1.0)  # high is content in all three kinds
    score = min(max(e["x"][0] / span, 0.0), 1.0)
    r["ages"][_A_SURVEY] = second(now)
    if stands(r, p, _S_SURVEY, e):
        r["floats"][_F_SURVEY] = score
    add(r, _SURVEY_SUM, score, slots)
    add(r, _SURVEYS, 1.0, slots)
    if score <= _DISSATISFIED:
        r["ages"][_A_DISSATISFIED] = second(now)
        if stands(r, p, _S_TOPIC, e):
            cause = _CAUSE_OF_TOPIC[min(np.int64(e["b"]), 5)]
            r["floats"][_F_TOPIC] = cause if cause > 0 else np.float64(e["c"])


@compiled
def _fold_contact(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    if e["a"] == 2:
        return  # we called: that is care.contacted's business
    r["ages"][_A_CONTACT] = second(now)
    if e["c"] > 0:
        r["codes"][_C_CONTACT] = e["c"]
    add(r, _CONTACTS, 1.0, slots)
    if not np.isnan(e["x"][0]):
        add(r, _WAIT, e["x"][0], slots)
    if not np.isnan(e["x"][1]):
        add(r, _TRANSFERS, e["x"][1], slots)
    if not np.isnan(e["x"][2]):
        add(r, _STEPS, e["x"][2], slots)
    if e["b"] == 1:
        add(r, _UNRESOLVED, 1.0, slots)


@compiled
def _fold_leaving(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    if e["kind"] == _QUERIED:
        add(r, _QUERIES, 1.0, slots)
        if not is_newest(r, p, _S_RETURNED, e) or not stands(r, p, _S_QUERIED, e):
            return
        r["ages"][_A_QUERIED] = second(now)
        r["codes"][_C_ELIGIBLE] = e["a"] - 1 if e["a"] > 0 else CODE_UNKNOWN
        r["floats"][_F_BLOCKERS] = e["x"][0]
    elif not is_newest(r, p, _S_RETURNED, e):
        return  # the customer has come back since
    elif e["kind"] == _REQUESTED:
        if not stands(r, p, _S_REQUESTED, e):
            return
        r["ages"][_A_REQUESTED] = second(now) if is_newest(r, p, _S_WITHDRAWN, e) else 0
        r["ages"][_A_EXPIRES] = 0 if np.isnan(e["x"][0]) else second(e["x"][0])
        if is_newest(r, p, _S_ENDED, e):
            r["ages"][_A_PORT_ENDED] = 0
    elif e["kind"] == _PORT_ENDED:
        of_request = is_newest(r, p, _S_REQUESTED, e)
        if stands(r, p, _S_ENDED, e) and of_request:
            r["ages"][_A_PORT_ENDED] = second(now)
        if e["a"] == 2 and stands(r, p, _S_WITHDRAWN, e) and of_request:
            r["ages"][_A_REQUESTED] = 0  # the request is off; an expired code still tells of the wish
    elif stands(r, p, _S_CANCEL, e):
        r["ages"][_A_CANCEL] = second(now)
        r["codes"][_C_CANCEL] = e["b"] if e["b"] > 0 else CODE_UNKNOWN


@compiled
def _come_back(r: np.void, p: Pools, e: np.void) -> None:
    """The signs of leaving from before are void."""
    version, tie = version_of(e)
    for field, first, last in _VOID:
        j = standing(r, p, field)
        if j < 0 or not older(version, tie, p.stands[j]):
            r["ages"][first] = 0
            r["ages"][last] = 0


@compiled
def _fold_outcome(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    if e["kind"] == _RETURNED and stands(r, p, _S_RETURNED, e):
        _come_back(r, p, e)
    if e["kind"] <= _RETURNED and not stands(r, p, _S_OUTCOME, e):
        return  # older than what stands
    if e["kind"] == _CHURNED:
        r["codes"][_C_CHURNED] = 1
        r["times"][_DUE] = FAR
    elif e["kind"] == _RETURNED:
        r["codes"][_C_CHURNED] = 0
        r["times"][_AWAKE] = now
    elif e["kind"] == _CARE:
        r["ages"][_A_CARE] = second(now)
        add(r, _CARE_CONTACTS, 1.0, slots)
        if e["a"] == _MARKETING:
            r["ages"][_A_OFFER] = second(now)
    else:
        if stands(r, p, _S_CARE, e):
            r["codes"][_C_CARE] = e["a"]
        if e["a"] == _LEAVE_ALONE and stands(r, p, _S_LEAVE_ALONE, e):
            r["codes"][_C_DO_NOT_CONTACT] = 1
        if not np.isnan(e["x"][0]):
            r["ages"][_A_OFFER] = second(now)
            r["floats"][_F_COST] = e["x"][0]


@compiled
def fold_voice(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    """Apply one event of the complaints or outcomes stream."""
    kind = e["kind"]
    if kind <= _RESOLVED:
        _fold_complaint(r, p, e, now, slots)
    elif kind == _SURVEY:
        _fold_survey(r, p, e, now, slots)
    elif kind == _CONTACT:
        _fold_contact(r, p, e, now, slots)
    elif kind <= _CANCEL:
        _fold_leaving(r, p, e, now, slots)
    elif kind >= _CHURNED:
        _fold_outcome(r, p, e, now, slots)
