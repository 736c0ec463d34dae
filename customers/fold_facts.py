"""How billing, line and contract facts change a customer. `now` is the clock (µs): facts count from their arrival."""

from __future__ import annotations

from typing import Final

import numpy as np

from customers.account import change, issue
from customers.layout import CODE_UNKNOWN, MONEY_SCALE, MONEY_UNKNOWN, A, C, F, M, S, T
from customers.metrics import DAY_US, METRIC
from customers.pools import end_contract, last_contract_end, sign
from customers.rings import Slots, add
from customers.stands import stands
from customers.state import Pools
from events.codes import LINE_STATUS, Kind
from events.compiled import compiled

_BILL_ISSUED, _BILL_ADJUSTED = int(Kind.BILL_ISSUED), int(Kind.BILL_ADJUSTED)
_PAID, _REVERSED = int(Kind.PAYMENT_RECEIVED), int(Kind.PAYMENT_REVERSED)
_TOPPED, _BALANCE = int(Kind.BALANCE_TOPPED_UP), int(Kind.BALANCE_REPORTED)
_PLAN, _SIGNED, _ENDED = int(Kind.PLAN_CHANGED), int(Kind.CONTRACT_SIGNED), int(Kind.CONTRACT_ENDED)
_LINE, _DEVICE = int(Kind.LINE_CHANGED), int(Kind.DEVICE_CHANGED)

_AWAKE = T["awake_at"]
_S_BILL, _S_PLAN, _S_RISE, _S_FEE = S["bill"], S["plan_change"], S["price_rise"], S["monthly_fee"]
_S_STATUS, _S_DEVICE, _S_BALANCE, _S_EXPIRES = S["status"], S["device"], S["balance"], S["balance_expires"]
_S_SUSPENDED = S["suspended"]
_S_TERM, _S_PENALTY, _S_CHANGE = S["contract_term"], S["penalty"], S["fee_change"]
_A_BILL, _A_ADJUSTMENT, _A_PAYMENT = A["bill"], A["adjustment"], A["payment"]
_A_REVERSED, _A_TOPUP, _A_EXPIRES = A["payment_reversed"], A["topup"], A["balance_expires"]
_A_PLAN, _A_RISE, _A_SIGNED = A["plan_change"], A["price_rise"], A["contract_signed"]
_A_CONTRACT_END, _A_ENDED, _A_SUSPENDED, _A_DEVICE = (
    A["contract_end"],
    A["contract_ended"],
    A["suspended"],
    A["device_change"],
)
_M_BILL, _M_OVERAGE = M["bill_amount"], M["bill_overage"]
_M_FEE, _M_FEE_CHANGE, _M_BALANCE, _M_PENALTY = M["monthly_fee"], M["fee_change"], M["balance"], M["penalty"]
_F_BILL, _F_BILL_SPREAD, _F_RATIO, _F_TERM = (
    F["bill_normal"],
    F["bill_spread"],
    F["bill_ratio"],
    F["contract_term"],
)
_C_BILLS, _C_STATUS, _C_5G, _C_SIM, _C_BY, _C_SUSPENDED = (
    C["bills_seen"],
    C["line_status"],
    C["supports_5g"],
    C["dual_sim"],
    C["plan_changed_by"],
    C["suspended_as"],
)
_TOPUP_AMOUNT, _TOPUPS = METRIC["topup_amount"], METRIC["topups"]
_LAST_SUSPENSION: Final = LINE_STATUS["suspended_lost"]
_MONTH_US: Final = np.int64(30.4375 * DAY_US)
_MONEY_MOST: Final = 9e14


@compiled
def fixed(value: float) -> int:
    """Money in fixed point (1/10,000); MONEY_UNKNOWN for NaN."""
    if np.isnan(value):
        return MONEY_UNKNOWN
    return np.int64(np.rint(min(max(value, -_MONEY_MOST), _MONEY_MOST) * MONEY_SCALE))


@compiled
def second(time: float) -> int:
    """Microseconds to the seconds of an age field, within its range."""
    return np.int64(min(max(time / 1e6, 1.0), 4294967295.0))


@compiled
def _fold_bill(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    amount, due = e["x"][0], 0 if np.isnan(e["x"][3]) else max(np.int64(e["x"][3]), 1)
    issue(r, p, e["ref"], fixed(amount), due, np.int64(e["at"]), now)
    if not stands(r, p, _S_BILL, e):
        return
    r["ages"][_A_BILL] = second(now)
    r["money"][_M_BILL], r["money"][_M_OVERAGE] = fixed(amount), fixed(e["x"][2])
    seen, normal = np.int64(r["codes"][_C_BILLS]), r["floats"][_F_BILL]
    r["codes"][_C_BILLS] = min(seen + 1, CODE_UNKNOWN - 1)
    if np.isnan(normal):
        r["floats"][_F_BILL], r["floats"][_F_BILL_SPREAD] = amount, 0.15 * abs(amount)
        return
    r["floats"][_F_RATIO] = amount / normal if normal > 0 else np.nan
    step = max(1.0 / (seen + 1), 0.2)
    limit = 2.0 * max(r["floats"][_F_BILL_SPREAD], 0.1 * abs(normal))
    move = min(max(amount - normal, -limit), limit)
    r["floats"][_F_BILL] = normal + step * move
    r["floats"][_F_BILL_SPREAD] += step * (abs(move) - r["floats"][_F_BILL_SPREAD])


@compiled
def _fold_plan(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    before, after = e["x"][0], e["x"][1]
    newest = stands(r, p, _S_PLAN, e)
    if newest:
        r["ages"][_A_PLAN] = second(now)
        r["codes"][_C_BY] = e["a"] if e["a"] > 0 else CODE_UNKNOWN
    if np.isnan(before) and newest and r["money"][_M_FEE] != MONEY_UNKNOWN:
        before = r["money"][_M_FEE] / MONEY_SCALE  # as it is known when the change arrives
    if np.isnan(after):
        return
    if stands(r, p, _S_FEE, e):
        r["money"][_M_FEE] = fixed(after)
    if np.isnan(before):
        return
    if stands(r, p, _S_CHANGE, e):
        r["money"][_M_FEE_CHANGE] = fixed(after - before)
    if after > before and stands(r, p, _S_RISE, e):
        r["ages"][_A_RISE] = second(now)


@compiled
def _fold_contract(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    ends, term = e["x"][2], e["x"][1]
    end = np.int64(0)
    if not np.isnan(ends):
        end = np.int64(ends)
    elif not np.isnan(term):
        end = np.int64(e["at"]) + np.int64(term * _MONTH_US)
    sign(r, p, e, end, now)
    r["ages"][_A_SIGNED] = max(np.int64(r["ages"][_A_SIGNED]), second(np.float64(e["at"])))
    latest = last_contract_end(r, p)
    r["ages"][_A_CONTRACT_END] = second(latest) if latest > 0 else 0
    if not np.isnan(term) and stands(r, p, _S_TERM, e):
        r["floats"][_F_TERM] = term
    if not np.isnan(e["x"][0]) and stands(r, p, _S_FEE, e):
        r["money"][_M_FEE] = fixed(e["x"][0])
    if not np.isnan(e["x"][3]) and stands(r, p, _S_PENALTY, e):
        r["money"][_M_PENALTY] = fixed(e["x"][3])


@compiled
def _fold_line(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    if e["b"] > 1:
        return  # one product of several: the subscription goes on
    newest, suspension = stands(r, p, _S_STATUS, e), 0 < e["a"] <= _LAST_SUSPENSION
    if (suspension or (newest and e["a"] != 0)) and r["codes"][_C_STATUS] == 0:
        r["ages"][_A_SUSPENDED] = second(now)
    if suspension and stands(r, p, _S_SUSPENDED, e):
        r["codes"][_C_SUSPENDED] = e["a"]
    if not newest:
        return
    if e["a"] == 0:
        r["times"][_AWAKE] = now
    r["codes"][_C_STATUS] = e["a"]


@compiled
def _fold_payment(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    amount = fixed(e["x"][0])
    if e["kind"] == _PAID:
        r["ages"][_A_PAYMENT] = second(now)
        change(r, p, e["ref"], -amount, now)
    else:
        r["ages"][_A_REVERSED] = second(now)
        change(r, p, e["ref"], amount, now)


@compiled
def _fold_balance(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    balance = e["x"][0]
    if e["kind"] == _TOPPED:
        r["ages"][_A_TOPUP] = second(now)
        add(r, _TOPUP_AMOUNT, e["x"][0], slots)
        add(r, _TOPUPS, 1.0, slots)
        balance = e["x"][1]
    elif not np.isnan(e["x"][1]) and stands(r, p, _S_EXPIRES, e):
        r["ages"][_A_EXPIRES] = second(e["x"][1])
    if not np.isnan(balance) and stands(r, p, _S_BALANCE, e):
        r["money"][_M_BALANCE] = fixed(balance)


@compiled
def fold_billing(r: np.void, p: Pools, e: np.void, now: int, slots: Slots) -> None:
    """Apply one event of the billing stream."""
    kind = e["kind"]
    if kind == _BILL_ISSUED:
        _fold_bill(r, p, e, now, slots)
    elif kind == _BILL_ADJUSTED:
        r["ages"][_A_ADJUSTMENT] = second(now)
        change(r, p, e["ref"], fixed(e["x"][0]), now)
    elif kind == _PAID or kind == _REVERSED:
        _fold_payment(r, p, e, now, slots)
    elif kind == _TOPPED or kind == _BALANCE:
        _fold_balance(r, p, e, now, slots)
    elif kind == _PLAN:
        _fold_plan(r, p, e, now, slots)
    elif kind == _SIGNED:
        _fold_contract(r, p, e, now, slots)
    elif kind == _ENDED:
        end_contract(r, p, e, now)
        r["ages"][_A_ENDED] = second(now)
        latest = last_contract_end(r, p)
        r["ages"][_A_CONTRACT_END] = second(latest) if latest > 0 else 0
    elif kind == _LINE:
        _fold_line(r, p, e, now, slots)
    elif kind == _DEVICE and stands(r, p, _S_DEVICE, e):
        r["ages"][_A_DEVICE] = second(now)
        r["codes"][_C_5G] = e["a"] - 1 if e["a"] > 0 else CODE_UNKNOWN
        r["codes"][_C_SIM] = e["b"] - 1 if e["b"] > 0 else CODE_UNKNOWN
