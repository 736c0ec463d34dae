"""What the customer pays, and how bills and payments behave."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.catalogue import Feature, same
from detectors.columns import ratio

FEATURES: Final = (
    same("bill_amount", "money", "life", "Newest bill", "最近账单金额", "plan_price", "plan_fit"),
    Feature(
        "bill_vs_own",
        "ratio",
        "life",
        "Newest bill against the customer's usual bill",
        "最近账单与本人常态之比",
        ("plan_price", "plan_fit"),
        lambda m: m["m.bill_ratio"],
    ),
    same("bill_normal", "money", "life", "Usual bill", "账单常态", "plan_price"),
    same("days_since_bill", "days", "life", "Days since the newest bill", "距最近账单天数", "plan_price"),
    same(
        "overage",
        "money",
        "life",
        "Overage on the newest bill",
        "最近账单超套费用",
        "plan_fit",
        measure_name="bill_overage",
    ),
    Feature(
        "overage_share",
        "ratio",
        "life",
        "Overage as a share of the newest bill",
        "超套费用占比",
        ("plan_fit",),
        lambda m: ratio(m["m.bill_overage"], m["m.bill_amount"]),
    ),
    same("charge_30d", "money", "30d", "Charges for use in the month", "近一月使用费用", "plan_fit", "plan_price"),
    Feature(
        "charge_day_rate",
        "money/min",
        "30d",
        "Charges for use per minute talked",
        "每分钟费用",
        ("plan_price", "competitor_price"),
        lambda m: ratio(m["m.charge_30d"], m["m.voice_seconds_30d"] / 60.0, 10.0),
    ),
    same("monthly_fee", "money", "life", "Monthly fee", "月租费", "plan_price", "competitor_price"),
    Feature(
        "fee_change",
        "ratio",
        "life",
        "Change of the monthly fee at the newest plan change",
        "最近一次套餐变更的月租变化",
        ("plan_price",),
        lambda m: ratio(m["m.fee_change"], np.abs(m["m.monthly_fee"] - m["m.fee_change"])),
    ),
    same("bills_open", "bills", "life", "Bills not yet paid", "未结清账单数", "plan_price"),
    same(
        "overdue_days",
        "days",
        "life",
        "Days the oldest unpaid bill is overdue",
        "最长欠费天数",
        "plan_price",
        sayable=False,
    ),
    same("overdue_amount", "money", "life", "Amount overdue", "欠费金额", "plan_price", sayable=False),
    same("days_since_payment", "days", "life", "Days since the last payment", "距上次缴费天数", "plan_price"),
    same("balance", "money", "life", "Prepaid balance", "余额", "plan_price"),
    same("topups_90d", "top-ups", "90d", "Top-ups of three months", "近三月充值次数", "plan_price"),
    same("topup_amount_90d", "money", "90d", "Topped up in three months", "近三月充值金额", "plan_price"),
    same("days_since_topup", "days", "life", "Days since the last top-up", "距上次充值天数", "plan_price"),
    Feature(
        "balance_expires_in",
        "days",
        "life",
        "Days until the balance expires",
        "余额到期剩余天数",
        ("plan_price",),
        lambda m: -m["m.days_since_balance_expires"],
    ),
    same(
        "days_since_payment_reversed",
        "days",
        "life",
        "Days since a payment was reversed",
        "距上次退款冲正天数",
        "plan_price",
    ),
    same("days_since_adjustment", "days", "life", "Days since a bill was adjusted", "距上次账单调整天数", "plan_price"),
    Feature(
        "balance_days_left",
        "days",
        "30d",
        "Days the balance lasts at the month's charges",
        "余额可用天数",
        ("plan_price",),
        lambda m: ratio(np.maximum(m["m.balance"], 0.0) * m["m.covered_30d"], m["m.charge_30d"]),
    ),
)
