"""Plan, contract, line and device."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.catalogue import Feature, same

_DAYS_A_MONTH: Final = 30.4375

FEATURES: Final = (
    Feature(
        "months_to_contract_end",
        "months",
        "life",
        "Time until the last running contract ends; negative once it is over",
        "距合约到期时间(到期后为负)",
        ("competitor_price", "care"),
        lambda m: -m["m.days_since_contract_end"] / _DAYS_A_MONTH,
    ),
    same("contract_term", "months", "life", "Length of the newest contract", "最近合约期", "competitor_price"),
    same("contracts_running", "contracts", "life", "Contracts that run", "在约合同数", "competitor_price"),
    Feature(
        "months_since_contract",
        "months",
        "life",
        "Time since a contract was last signed",
        "距上次签约时间",
        ("competitor_price", "care"),
        lambda m: m["m.days_since_contract_signed"] / _DAYS_A_MONTH,
    ),
    same("days_since_plan_change", "days", "life", "Days since the plan changed", "距套餐变更天数", "plan_price"),
    same("days_since_price_rise", "days", "life", "Days since the fee rose", "距涨价天数", "plan_price"),
    Feature(
        "line_status",
        "class",
        "life",
        "Status of the line",
        "线路状态",
        ("regulation", "plan_price"),
        lambda m: m["m.line_status"],
        kind="category",
        values=(
            "active",
            "suspended_arrears",
            "suspended_request",
            "suspended_fraud",
            "suspended_lost",
            "transferred",
            "closed",
        ),
    ),
    same(
        "days_since_suspended", "days", "life", "Days since the line was last suspended", "距最近停机天数", "plan_price"
    ),
    Feature(
        "suspended_as",
        "class",
        "life",
        "Why the line was last suspended",
        "最近停机类型",
        ("regulation", "environment", "plan_price"),
        lambda m: m["m.suspended_as"] - 1.0,
        kind="category",
        values=("arrears", "request", "fraud", "lost"),
    ),
    Feature(
        "plan_changed_by",
        "class",
        "life",
        "Who changed the plan last",
        "最近套餐变更发起方",
        ("plan_price",),
        lambda m: m["m.plan_changed_by"] - 1.0,
        kind="category",
        values=("customer", "operator"),
    ),
    same(
        "contract_penalty",
        "money",
        "life",
        "Penalty for leaving the contract early",
        "提前解约违约金",
        "competitor_price",
        measure_name="penalty",
    ),
    Feature(
        "pay_mode",
        "class",
        "life",
        "Prepaid or postpaid",
        "付费方式",
        ("plan_fit",),
        lambda m: m["m.pay_mode"],
        kind="category",
        values=("prepaid", "postpaid"),
    ),
    same("products", "products", "life", "Products held", "在用产品数", "personal"),
    same("days_since_device_change", "days", "life", "Days since the device changed", "距换机天数", "personal"),
    Feature(
        "dual_sim",
        "yes/no",
        "life",
        "The device takes two cards",
        "双卡终端",
        ("competitor_price",),
        lambda m: m["m.dual_sim"],
        kind="bool",
        sayable=False,
    ),
    Feature(
        "supports_5g",
        "yes/no",
        "life",
        "The device supports 5G",
        "终端支持5G",
        ("network",),
        lambda m: m["m.supports_5g"],
        kind="bool",
    ),
    Feature(
        "tenure_days",
        "days",
        "life",
        "Days as a customer: since the date told, else since first seen",
        "在网天数",
        ("care",),
        lambda m: np.where(np.isnan(m["m.days_since_since"]), m["m.days_known"], m["m.days_since_since"]),
    ),
)
