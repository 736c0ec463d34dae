"""What the report says, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

LANGUAGES: Final = ("en", "zh-CN")

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Churn early warnings", "客户流失预警报告"),
    "period": ("{first} to {last} ({days} days)", "{first} 至 {last}（{days} 天）"),
    "known_until": ("outcomes known until {day}", "结果数据截至 {day}"),
    "summary": ("In short", "摘要"),
    "customers": ("customers at the end", "期末客户数"),
    "warnings": ("warnings", "预警数"),
    "left": ("left voluntarily", "主动离网"),
    "retained": ("stayed in the last whole month", "最近整月留存率"),
    "complaints": ("complaints", "投诉数"),
    # The summary
    "said_warnings": (
        "{count} warnings were given, {per_day} a day; {top} of them reached the highest tier ({tier}).",
        "共发出 {count} 条预警，平均每天 {per_day} 条；其中 {top} 条达到最高级别（{tier}）。",
    ),
    "said_no_warnings": ("No warnings were given.", "期内没有预警。"),
    "said_cause": (
        "The commonest cause was “{cause}”: {share} of all warnings.",
        "最主要的原因是“{cause}”，占全部预警的 {share}。",
    ),
    "said_left": (
        "{left} customers left voluntarily, {other} otherwise (such as arrears).",
        "主动离网 {left} 人，其他离网（如欠费拆机）{other} 人。",
    ),
    "said_quality": (
        (
            "Of 100 warnings at “{tier}” or above, {precision} were followed by leaving within {days} days; for customers picked at random "
            "at the same times it would be {random}."
        ),
        "“{tier}”及以上级别每 100 条预警中，有 {precision} 条的客户在 {days} 天内离网；同样时间随机挑选客户则为 {random} 条。",
    ),
    "said_recall": (
        (
            "{recall} of those who left had been warned of in the {days} days before (any tier; at random {random}), half of "
            "them at least {lead} days ahead."
        ),
        "离网客户中有 {recall} 在离网前 {days} 天内曾被预警（任一级别；随机为 {random}），其中一半至少提前 {lead} 天。",
    ),
    "said_unproven": (
        "Whether contacting these customers keeps them is not known: no customers were held out.",
        "尚不能判断挽留联系是否有效：没有设置对照组。",
    ),
    "said_effect": (
        "At “{tier}”, {fewer} percentage points fewer of the contacted left than of the held out (95 % interval {low} to {high}).",
        "“{tier}”级别：联系组离网率比对照组低 {fewer} 个百分点（95% 区间 {low} 至 {high}）。",
    ),
    "said_effect_open": (
        (
            "At “{tier}” contacted and held-out customers cannot be told apart yet: the difference is {fewer} percentage "
            "points, but anything from {low} to {high} is plausible."
        ),
        "“{tier}”级别：联系组与对照组尚无法区分：差异为 {fewer} 个百分点，但 {low} 至 {high} 都有可能。",
    ),
    "said_no_outcomes": (
        "Nobody is known to have left, so how good the warnings were cannot be said.",
        "没有收到离网结果，无法评价预警质量。",
    ),
    # The part on a silent pilot
    "pilot_title": ("Silent pilot: what would have been warned of", "静默试点报告：若启用预警会怎样"),
    "pilot": ("What the pilot shows", "试点结果"),
    "pilot_contacts": (
        (
            "This was no silent period: {count} contacts or results of care were reported from {first} to {last}. A customer whom one "
            "of them kept counts as a false alarm here, so the figures are too low, and nobody can say by how much."
        ),
        "本期并非静默期：{first} 至 {last} 有 {count} 条联系或跟进记录。因联系而留下的客户在此计为误报，指标因此偏低，且偏差无法估计。",
    ),
    "said_pilot": (
        "Nobody was contacted, so what followed is what would have followed: a fair test of the warnings, and none of care.",
        "期内没有联系任何客户，结果未受干预：可公正检验预警本身，但不能说明挽留效果。",
    ),
    "a_day_1000": ("a day for each 1,000 customers", "每千客户每日（条）"),
    "at_random": ("precision at random", "随机准确率"),
    "recall_ahead": ("recall, a day or more ahead", "提前一天以上的召回率"),
    "load": ("Work per care team and day", "各团队每日工作量"),
    "load_note": (
        "A warning is a piece of work on the day it is raised, and once more on the day it gets to a higher tier.",
        "一条预警在发出当日计一件，升级当日再计一件。",
    ),
    "load_title": ("Work by care team", "各团队工作量"),
    "care_team": ("care team (queue)", "团队（队列）"),
    "mean": ("a day, mean", "日均"),
    "median": ("median", "中位数"),
    "busiest": ("busiest day", "最忙日"),
    # The part on warnings
    "warnings_heading": ("Warnings", "预警"),
    "per_day_title": ("New warnings by highest tier", "每日新增预警（按最高级别）"),
    "per_cause_title": ("New warnings by cause", "每日新增预警（按原因）"),
    "a_day": ("warnings a day", "每日预警数（条）"),
    "a_week": ("warnings a week", "每周预警数（条）"),
    "day": ("day", "日期"),
    "week_of": ("week beginning", "周（起始日）"),
    "month": ("month", "月份"),
    "others": ("all others", "其他"),
    "by_cause": ("By cause", "按原因"),
    "by_rule": ("By rule", "按规则"),
    "by_value_class": ("By value class", "按客户价值"),
    "by_region": ("By region", "按地区"),
    "by_rule_note": ("A warning counts for every rule that held it up.", "一条预警可由多条规则触发，分别计入。"),
    "count": ("warnings", "预警数"),
    "per_week": ("per week", "每周走势"),
    "precision": ("precision", "准确率"),
    "recall": ("recall", "召回率"),
    "of_matured": ("left / matured", "离网 / 已到期"),
    # The part on quality
    "quality": ("How good the warnings were", "预警质量"),
    "precision_title": (
        "Precision: left within {days} days of a warning",
        "准确率：预警后 {days} 天内离网的比例",
    ),
    "recall_title": ("Recall: leavers who had been warned of", "召回率：离网客户中曾被预警的比例"),
    "share_of_warned": ("share of matured warnings", "占已到期预警的比例"),
    "share_of_leavers": ("share of voluntary leavers", "占主动离网客户的比例"),
    "tier_and_above": ("tier, and those above it", "级别（含以上）"),
    "ours": ("these warnings", "本系统"),
    "random": ("as many at random", "同量随机"),
    "every_open_complaint": ("every open complaint", "每个未解决投诉"),
    "lead_title": ("Lead time: days from the first warning to leaving", "提前量：首次预警到离网的天数"),
    "leavers": ("leavers", "离网客户数（人）"),
    "days_before": ("days before leaving", "提前天数（天）"),
    "tier": ("tier", "级别"),
    "reached": ("warnings", "预警数"),
    "matured": ("matured", "已到期"),
    "churned": ("left", "已离网"),
    "median_lead": ("median lead, days", "提前量中位数（天）"),
    "treated": ("for care", "联系组"),
    "held_out": ("held out", "对照组"),
    "fewer_left": ("fewer left, points", "离网率差（百分点）"),
    "causes_named": (
        (
            "Cause named as it was found in the end: {right} of {known} warned leavers with a known reason ({share}; always "
            "naming the commonest reason would give {dummy})."
        ),
        "原因判断正确：在 {known} 位已知离网原因的被预警客户中，{right} 位判断正确（{share}；若一律判为最常见原因则为 {dummy}）。",
    ),
    "model": (
        (
            "The model, judged before it learned each outcome: {labelled} outcomes, AUC {auc}, average precision {ap}, Brier "
            "score {brier}, calibration error {error}."
        ),
        "模型（先预测后学习）：{labelled} 个结果，AUC {auc}，平均精确率 {ap}，Brier 分数 {brier}，校准误差 {error}。",
    ),
    # The part on incidents
    "incidents": ("Incidents", "群体事件"),
    "no_incidents": ("No incidents were raised.", "期内没有群体事件。"),
    "faults": ("{count} faults of cells were reported by the network.", "网络侧上报小区故障 {count} 次。"),
    "kind": ("kind", "类型"),
    "scope": ("where", "范围"),
    "started": ("began", "开始"),
    "affected": ("customers", "客户数"),
    "high_value": ("of high value", "其中高价值"),
    "status": ("status", "状态"),
    "more_rows": ("{count} more are in the JSON.", "另有 {count} 条见 JSON。"),
    # The part on retention
    "retention": ("Retention", "客户留存"),
    "retention_title": (
        "Customers there at the beginning of a month and still there at its end",
        "月留存率：月初在网客户到月末仍在网的比例",
    ),
    "share_kept": ("share kept (the axis does not begin at 0)", "留存比例（纵轴不从 0 开始）"),
    "cohorts": ("Still there at the end of each month, by the month first seen", "按首次出现月份统计的月末留存率"),
    "first_seen": ("first seen", "首次出现"),
    "size": ("customers", "客户数"),
    "no_retention": ("No month began after counting did.", "统计开始后尚无完整的月初。"),
    # The part on satisfaction
    "satisfaction": ("Satisfaction", "满意度"),
    "satisfaction_title": (
        "Mean answer on the scale, and complaints resolved to satisfaction",
        "调查平均得分率与投诉处理满意率",
    ),
    "share_best": ("share of the best possible", "占满分的比例"),
    "csat": ("satisfaction (CSAT)", "满意度（CSAT）"),
    "ces": ("ease (CES)", "便捷度（CES）"),
    "nps": ("promoters (NPS)", "净推荐值（NPS）"),
    "resolved": ("satisfied after a complaint", "投诉处理后满意"),
    "nps_note": ("NPS goes from −100 to 100.", "净推荐值（NPS）取值范围为 −100 至 100。"),
    "answers": ("answers", "样本数"),
    "no_answers": ("Nobody was asked, or nobody answered.", "没有调查数据。"),
    # The part on complaints
    "complaints_heading": ("Complaints", "投诉"),
    "complaints_title": ("Complaints for each 1,000 customers", "每千客户投诉数"),
    "per_1000": ("complaints per 1,000 customers and month", "每千客户每月投诉数（件）"),
    "by_cause_and_region": ("Complaints by cause and region", "投诉：原因 × 地区"),
    "all": ("all", "合计"),
    "no_complaints": ("There were no complaints.", "没有投诉。"),
    # The part on care
    "care": ("What care did", "关怀跟进"),
    "no_care": ("No contacts and no results of care were reported.", "没有收到联系记录或跟进结果。"),
    "ended": ("How the warnings of this period ended", "本期预警的结束方式"),
    "times": ("times", "次数"),
    # The part on notes
    "notes": ("How to read this, and what is not known", "说明与未知事项"),
    "note_matured": (
        (
            "A warning is matured when {days} days have passed since, or the customer has left. Precision counts matured "
            "warnings only; {open} warnings of this period are not matured."
        ),
        "预警发出满 {days} 天或客户已离网即为“已到期”。准确率只计已到期预警；本期尚有 {open} 条未到期。",
    ),
    "note_tiers": (
        "A warning counts for its tier and for those below it, from when it got there.",
        "一条预警自达到某级别起，计入该级别及以下各级别。",
    ),
    "note_care": (
        "A customer whom care kept looks like a false alarm here. Only a held-out group tells the two apart.",
        "被成功挽留的客户在此看起来像误报；只有设置对照组才能区分。",
    ),
    "note_recall": (
        (
            "Recall is over voluntary leavers with an event in the 90 days before, those held out apart. Customers who fell silent without "
            "being reported as having left are not known to have left."
        ),
        "召回率以离网前 90 天内有事件的主动离网客户为分母，对照组单独计算。停用但没有离网记录的客户不计为离网。",
    ),
    "note_random": (
        "“At random” is the mean of up to {draws} draws: as many warnings at the same times, for customers who were there then.",
        "“随机”为最多 {draws} 次抽样的平均：在相同时间为当时在网客户随机发出同样数量的预警。",
    ),
    "note_complaints": (
        "“Every open complaint” warns of each customer when they come to have one, and does nothing else.",
        "“每个未解决投诉”指仅在客户出现未解决投诉时发出一条预警。",
    ),
    "note_involuntary": (
        "A warning whose customer left otherwise within the horizon (such as for arrears) is counted neither as right nor as wrong.",
        "预警期内非主动离网（如欠费拆机）的客户，其预警既不计正确也不计错误。",
    ),
    "note_blind": (
        "Counting began on {day}: the first weeks are blind, because windows and own normals are still filling.",
        "统计始于 {day}：最初几周数据窗口和自身常态尚未形成，预警偏少。",
    ),
    "note_partial": ("Months marked * are not whole.", "带 * 的月份不完整。"),
    "note_regions": (
        "For {share} of the warnings the region is not known, for {value} the value class.",
        "{share} 的预警地区未知，{value} 的预警客户价值未知。",
    ),
    "note_names": ("This report names no customer.", "本报告不含任何客户标识。"),
}

NAMES: Final[dict[str, tuple[str, str]]] = {
    "unknown": ("not known", "未知"),
    "watch": ("watch", "关注"),
    "warning": ("warning", "预警"),
    "critical": ("critical", "紧急"),
    "high": ("high", "高"),
    "mid": ("mid", "中"),
    "low": ("low", "低"),
    "network": ("network", "网络"),
    "billing": ("billing", "计费"),
    "churn_peak": ("churn peak", "离网高峰"),
    "opened": ("open", "进行中"),
    "raised": ("open", "进行中"),
    "updated": ("open", "进行中"),
    "reopened": ("open", "进行中"),
    "resolved": ("over", "已结束"),
    "closed": ("over", "已结束"),
    "contacted": ("contacts made", "已联系"),
    "retained": ("retained", "已挽留"),
    "declined": ("declined", "拒绝"),
    "unreachable": ("not reached", "未接通"),
    "callback": ("call back later", "约定回拨"),
    "do_not_contact": ("wants no contact", "拒绝联系"),
    "false_alarm": ("false alarm", "误报"),
    "already_left": ("had left already", "已离网"),
}
ENDINGS: Final[dict[str, tuple[str, str]]] = {
    "open": ("still open", "仍未结束"),
    "risk_fell": ("risk fell", "风险下降"),
    "churned": ("customer left", "客户离网"),
    "resolved": ("resolved by care", "关怀处理完毕"),
    "suspended": ("line suspended", "停机"),
    "rule_removed": ("rule removed", "规则下线"),
    "expired": ("expired", "到期"),
    "policy": ("ended by policy", "按政策结束"),
    "forgotten": ("customer erased", "客户数据已删除"),
}

Say = Callable[..., str]


def speaker(language: str) -> Say:
    """`say(key, **values)` in a language; raises ValueError for one that is not spoken, KeyError for no such words."""
    if language not in LANGUAGES:
        raise ValueError(f"{language}: not one of {', '.join(LANGUAGES)}")
    place = LANGUAGES.index(language)

    def say(key: str, **values: Any) -> str:
        return WORDS[key][place].format(**values)

    return say


def named(table: dict[str, tuple[str, str]], language: str) -> Callable[[str], str]:
    """A code's name in a language; what is not in the table is its own name."""
    place = LANGUAGES.index(language)
    return lambda code: table[code][place] if code in table else code
