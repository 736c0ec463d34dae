"""What the network and the service are like for this customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from detectors.catalogue import Feature, measure, same
from detectors.columns import Column, Columns, ratio
from events.codes import CAUSES, NAMES

_LEAST_TRIED: Final = 9.0  # a share of fewer attempts says nothing


def trouble(days: int) -> Callable[[Columns], Column]:
    """The share of attempts that failed or dropped: what dropped had been connected, so it is among the sessions."""

    def share(m: Columns) -> Column:
        failed, dropped = m[f"m.failed_{days}d"], m[f"m.dropped_{days}d"]
        return ratio(failed + dropped, failed + np.maximum(m[f"m.uses_{days}d"], dropped), _LEAST_TRIED)

    return share


FEATURES: Final = (
    same("dropped_1d", "sessions", "1d", "Dropped sessions of the day", "当日掉话次数", "network"),
    same("dropped_7d", "sessions", "7d", "Dropped sessions of the week", "近一周掉话次数", "network"),
    same("dropped_30d", "sessions", "30d", "Dropped sessions of the month", "近一月掉话次数", "network"),
    same("failed_7d", "attempts", "7d", "Failed attempts of the week", "近一周接入失败次数", "network"),
    same("failed_30d", "attempts", "30d", "Failed attempts of the month", "近一月接入失败次数", "network"),
    Feature(
        "trouble_rate_7d",
        "ratio",
        "7d",
        "Share of attempts of the week that failed or dropped",
        "近一周失败与掉话占比",
        ("network",),
        trouble(7),
    ),
    Feature(
        "trouble_rate_30d",
        "ratio",
        "30d",
        "Share of attempts of the month that failed or dropped",
        "近一月失败与掉话占比",
        ("network",),
        trouble(30),
    ),
    Feature(
        "speed_mbps_30d",
        "Mbit/s",
        "30d",
        "Mean speed of the month",
        "近一月平均速率",
        ("network",),
        lambda m: ratio(m["m.speed_sum_30d"], m["m.speed_count_30d"]),
    ),
    Feature(
        "incident_open",
        "yes/no",
        "now",
        "A network incident is open where the customer lives",
        "常驻基站正发生网络故障",
        ("network",),
        measure("m.incident_open"),
        kind="bool",
        learned=False,  # each partition sees incidents by itself, and a risk must not depend on the partition
    ),
    Feature(
        "days_since_incident",
        "days",
        "90d",
        "Days since a network incident where the customer lives",
        "距常驻基站上次网络故障天数",
        ("network",),
        measure("m.days_since_incident"),
        learned=False,
    ),
    Feature(
        "incidents_30d",
        "incidents",
        "30d",
        "Network incidents of the month where the customer lives",
        "近一月常驻基站网络故障次数",
        ("network",),
        measure("m.incidents_30d"),
        learned=False,
    ),
    same("contacts_30d", "contacts", "30d", "Contacts the customer made", "近一月主动联系次数", "process", "care"),
    Feature(
        "wait_minutes_mean_30d",
        "min",
        "30d",
        "Mean waiting of a contact",
        "平均等待时长",
        ("process", "care"),
        lambda m: ratio(m["m.wait_seconds_30d"] / 60.0, m["m.contacts_30d"]),
    ),
    Feature(
        "contact_cause",
        "class",
        "life",
        "What the newest contact was about",
        "最近一次联系所涉原因",
        CAUSES[1:],
        measure("m.contact_cause"),
        kind="category",
        values=CAUSES,
    ),
    same("transfers_30d", "transfers", "30d", "Times handed on", "近一月转接次数", "process"),
    same(
        "contacts_unresolved_30d",
        "contacts",
        "30d",
        "Contacts that settled nothing",
        "未解决联系次数",
        "process",
        measure_name="unresolved_contacts_30d",
    ),
    Feature(
        "contact_steps_mean_30d",
        "steps",
        "30d",
        "Mean steps of a contact",
        "平均办理步骤数",
        ("process",),
        lambda m: ratio(m["m.contact_steps_30d"], m["m.contacts_30d"]),
    ),
    same("care_contacts_30d", "contacts", "30d", "Contacts we made", "近一月外呼关怀次数", "care"),
    same("days_since_care_contact", "days", "life", "Days since we contacted", "距上次关怀天数", "care"),
    same("days_since_offer", "days", "life", "Days since an offer was made", "距上次优惠天数", "care"),
    same("offer_cost", "money", "life", "Cost of the newest offer", "最近优惠成本", "care", sayable=False),
    Feature(
        "care_outcome",
        "class",
        "life",
        "What came of the newest care",
        "最近一次关怀结果",
        ("care",),
        measure("m.care_outcome"),
        kind="category",
        values=NAMES["care_outcome"],
        sayable=False,
    ),
    Feature(
        "do_not_contact",
        "yes/no",
        "life",
        "Wants not to be contacted",
        "要求勿扰",
        (),
        lambda m: np.where(m["m.do_not_contact"] == 1.0, 1.0, 0.0),
        kind="bool",
        learned=False,
        sayable=False,
    ),
    Feature(
        "do_not_call",
        "yes/no",
        "life",
        "Wants not to be called",
        "要求不致电",
        (),
        lambda m: np.where(m["m.do_not_contact"] >= 1.0, 1.0, 0.0),
        kind="bool",
        learned=False,
        sayable=False,
    ),
)
