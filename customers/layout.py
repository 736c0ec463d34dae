"""The scalar fields of a customer, block by block. A field is declared once, here; its place is its position.

A name in `AGES`, `MONEY`, `FLOATS`, `CODES` or `LABELS` is at once a measure of the same name (ages as `days_since_<name>`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

# Microseconds since 1970; 0 = never, FAR = no timer.
TIMES: Final = (
    "first_seen",  # clock at the first event
    "rolled",  # the windows hold buckets up to here
    "last_use",  # occurred_at of the newest real use
    "newest_usage",  # occurred_at of the newest usage record, real use or not: lateness is judged against it
    "last_event",  # clock at the newest event
    "seen_before",  # clock at the event before the newest
    "next_due",  # the earliest timer of any kind
    "week_due",  # when the next weekly example is frozen
    "rules_due",  # the earliest timer the rules asked for
    "feed_lag",  # how long after occurred_at this customer's newest usage arrives, at its longest of late (µs)
    "closed_day",  # the newest day that the own normal has seen the end of, days since 1970; 0 = none yet
    "awake_at",  # absence counts from here at the earliest: the line came back, the person is new
)
# Seconds since 1970, dated when they took effect here; 0 = never.
AGES: Final = (
    "since",  # customer since (profile)
    "bill",
    "payment",
    "payment_reversed",
    "complaint",
    "regulator",
    "contact",
    "care_contact",
    "offer",
    "porting_queried",
    "porting_requested",
    "porting_expires",
    "porting_ended",
    "cancellation_requested",
    "plan_change",
    "price_rise",
    "suspended",  # the newest suspension; it stays when the line is back
    "topup",
    "balance_expires",
    "survey",
    "dissatisfied",
    "contract_signed",
    "contract_end",  # the latest end among the contracts that run
    "contract_ended",
    "device_change",
    "adjustment",
    "move",  # the home cell gave way to another
)
# Fixed point, 1/10,000 of a major unit; MONEY_UNKNOWN = unknown.
MONEY: Final = ("bill_amount", "bill_overage", "monthly_fee", "fee_change", "balance", "penalty")
FLOATS: Final = (
    "uses_normal",  # own normal: robust level of seven closed days, per week
    "voice_normal",
    "data_normal",
    "messages_normal",
    "uses_spread",  # robust mean absolute deviation about that level
    "voice_spread",
    "data_spread",
    "messages_spread",
    "usage_index",  # seven closed days against the own normal, 1 = as ever
    "usage_index_spread",
    "usage_cusum",  # evidence for a downward change point
    "rhythm_mean",  # days between days with use
    "rhythm_spread",
    "active_day",  # the newest closed day with use, days since 1970
    "bill_normal",
    "bill_spread",
    "bill_ratio",  # the newest bill against the normal before it
    "survey_last",  # newest satisfaction answer, 0..1
    "contract_term",  # months of the newest contract
    "offer_cost",
    "porting_blockers",
    "survey_topic",  # cause code of the newest dissatisfied answer
)
# Small codes; CODE_UNKNOWN = unknown.
CODES: Final = (
    "line_status",  # order of the contract: 0 active … 6 closed
    "churned",  # 1 after customer.churned until customer.returned
    "kind",  # 0 person 1 family 2 enterprise
    "pay_mode",  # 0 prepaid 1 postpaid
    "products",  # how many
    "days_closed",  # days the own normal rests on, saturating
    "bills_seen",
    "porting_eligible",  # 0 no 1 yes
    "supports_5g",
    "dual_sim",
    "profiling_objected",
    "do_not_contact",  # 0 no 1 on any channel 2 not by telephone
    "complaint_cause",  # of the newest complaint: 1..10, the contract's order
    "complaint_severity",
    "last_satisfied",  # 0 no 1 yes, after the newest resolved complaint
    "cancellation_cause",
    "plan_changed_by",  # 1 customer 2 operator
    "care_outcome",
    "suspended_as",  # line status of the newest suspension, 1..4
    "home_votes",  # how far ahead the home cell is in the vote; FIRM added once it was far
    "contact_cause",  # of the newest contact whose purpose speaks of one
)
# What is taken as not so until it is told.
ZERO_CODES: Final = (
    "line_status",
    "churned",
    "days_closed",
    "bills_seen",
    "profiling_objected",
    "do_not_contact",
    "home_votes",
)
# Interned texts; -1 = unknown.
TEXTS: Final = ("region", "segment", "plan", "account", "age_band")
LABELS: Final = (*TEXTS, "home_cell")  # and 31 bits of the hash of the cell most used
HEADS: Final = ("bills", "complaints", "contracts", "stands", "credits", "attributes", "notes")
# What a newer fact replaces, each by itself (customers/stands.py).
STANDS: Final = (
    "person",  # a line transferred: facts from before are another person's
    "status",
    "suspended",
    "bill",
    "plan_change",
    "fee_change",
    "price_rise",
    "balance",
    "balance_expires",
    "contracts_ended",  # all at once
    "contract_term",
    "penalty",
    "device",
    "survey",
    "survey_topic",
    "porting_queried",
    "porting_requested",
    "porting_ended",
    "porting_withdrawn",
    "cancellation",
    "outcome",
    "returned",
    "care_outcome",
    # fields of profiles
    "since",
    "monthly_fee",
    "kind",
    "pay_mode",
    "products",
    "profiling_objected",
    "do_not_contact",
    "region",
    "segment",
    "plan",
    "account",
    "age_band",
)

FAR: Final = np.iinfo(np.int64).max
MONEY_UNKNOWN: Final = np.iinfo(np.int64).min
CODE_UNKNOWN: Final = 255
MONEY_SCALE: Final = 10_000.0

T: Final = {name: i for i, name in enumerate(TIMES)}
A: Final = {name: i for i, name in enumerate(AGES)}
M: Final = {name: i for i, name in enumerate(MONEY)}
F: Final = {name: i for i, name in enumerate(FLOATS)}
C: Final = {name: i for i, name in enumerate(CODES)}
L: Final = {name: i for i, name in enumerate(LABELS)}
H: Final = {name: i for i, name in enumerate(HEADS)}
S: Final = {name: i for i, name in enumerate(STANDS)}

# What is rare hangs in pools: one record each, linked per customer through `next`.
BILL: Final = np.dtype(
    [
        ("ref", "u8"),  # 0: of no bill
        ("due", "i8"),  # of credit: when it came
        ("left", "i8"),  # owed; of credit: what waits to be used, negative
        ("amount", "i8"),  # as issued
        ("at", "i8"),  # occurred_at of the issue that stands; 0 while the bill itself was not seen
        ("next", "i4"),
        ("pad", "i4"),
    ]
)
COMPLAINT: Final = np.dtype(
    [
        ("ref", "u8"),
        ("opened", "i8"),  # when it counted here
        ("changed", "i8"),  # occurred_at of the newest status
        ("due", "i8"),  # 0 = none
        ("next", "i4"),
        ("status", "u1"),  # 0 open 1 handled 2 reopened 3 escalated 4 regulator 5 resolved
        ("severity", "u1"),
        ("cause", "u1"),
        ("counted", "u1"),  # its opening was seen
    ]
)
CONTRACT: Final = np.dtype([("ref", "u8"), ("ends", "i8"), ("version", "u8"), ("tie", "u4"), ("next", "i4")])
# One fact that stands, and of which fields: bits of STANDS and of the first attribute columns, in the other list of the rest.
STAND: Final = np.dtype([("version", "u8"), ("fields", "u8"), ("tie", "u4"), ("next", "i4")])
NOTE: Final = np.dtype(  # an operator's signal: its code, what it says and until when, the fact that stands
    [("ref", "u8"), ("ends", "i8"), ("value", "f8"), ("version", "u8"), ("tie", "u4"), ("next", "i4")]
)
