"""What the operator sells and where: plans with their allowances, segments, regions.

The numbers are of the size of Chinese list prices of 2025 (yuan a month). `config/plans.yaml` may name the same plans.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One tariff: monthly `fee` in yuan, allowances per cycle, and who is offered it."""

    code: str
    fee: float
    data_gb: float
    minutes: float
    pay_mode: str
    offered: str  # person, student, senior, family, enterprise, iot


PLANS: tuple[Plan, ...] = (
    Plan("flex-19", 19.0, 5, 60, "prepaid", "person"),
    Plan("flex-39", 39.0, 20, 150, "prepaid", "person"),
    Plan("flex-69", 69.0, 50, 400, "prepaid", "person"),
    Plan("campus-29", 29.0, 40, 100, "prepaid", "student"),
    Plan("silver-25", 25.0, 5, 300, "prepaid", "senior"),
    Plan("smart-59", 59.0, 20, 200, "postpaid", "person"),
    Plan("smart-99", 99.0, 50, 500, "postpaid", "person"),
    Plan("smart-159", 159.0, 100, 1000, "postpaid", "person"),
    Plan("smart-239", 239.0, 200, 2000, "postpaid", "person"),
    Plan("home-129", 129.0, 80, 800, "postpaid", "family"),
    Plan("home-199", 199.0, 150, 1500, "postpaid", "family"),
    Plan("firm-79", 79.0, 40, 800, "postpaid", "enterprise"),
    Plan("firm-169", 169.0, 100, 2500, "postpaid", "enterprise"),
    Plan("things-5", 5.0, 1, 0, "postpaid", "iot"),
)

# Popularity of the plans within the group they are offered to.
PLAN_WEIGHTS: dict[str, tuple[tuple[str, float], ...]] = {
    "person": (
        ("flex-19", 14),
        ("flex-39", 20),
        ("flex-69", 9),
        ("smart-59", 20),
        ("smart-99", 22),
        ("smart-159", 11),
        ("smart-239", 4),
    ),
    "student": (("campus-29", 75), ("flex-39", 25)),
    "senior": (("silver-25", 70), ("smart-59", 20), ("flex-19", 10)),
    "family": (("home-129", 45), ("home-199", 20), ("smart-99", 15), ("smart-59", 20)),
    "enterprise": (("firm-79", 65), ("firm-169", 35)),
    "iot": (("things-5", 1),),
}

SEGMENTS = ("worker", "youth", "student", "family", "senior", "business", "iot")
WORKER, YOUTH, STUDENT, FAMILY, SENIOR, BUSINESS, IOT = range(7)

REGIONS: tuple[tuple[str, float], ...] = (
    ("hangzhou", 24),
    ("ningbo", 18),
    ("wenzhou", 16),
    ("jinhua", 11),
    ("taizhou", 10),
    ("shaoxing", 9),
    ("jiaxing", 8),
    ("huzhou", 4),
)

CAUSES = (
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
)

PLAN_INDEX = {plan.code: number for number, plan in enumerate(PLANS)}
DATA_YUAN_PER_GB = 3.0
VOICE_YUAN_PER_MINUTE = 0.15
OVERAGE_CAP = 3.0  # overage never exceeds this multiple of the plan's fee
