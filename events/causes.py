"""Which of the ten causes a complaint's category or words speak of, in Chinese and English.

The words are those that the causes are described with in the handbook and that complaint categories of operators use.
Every place where a word stands counts for its cause, longer words more (their length in characters, a Chinese
character as two: it says about as much as two letters), threats to leave least. Where words overlap, the first and then the longest stands
alone. Most wins; ties go to the cause that is named first. No word, no cause: `unknown`.
"""

import re
from functools import lru_cache

from events.codes import CAUSE

WORDS: dict[str, tuple[str, ...]] = {
    "network": (
        "network quality", "bad network", "poor network", "network", "no signal", "weak signal", "signal", "coverage", "fault",
        "call drop", "calls drop", "dropped call", "dropped calls", "drops calls", "disconnect", "cut off", "slow internet", "slow data", "slow speed",
        "too slow", "speed", "latency", "lag", "outage", "no service", "no internet", "cannot connect", "can't connect", "can not call",
        "poor reception", "reception", "roaming failed", "broadband down", "offline", "noise on the line",
        "网络质量", "网络差", "网络不好", "网络", "信号差", "信号弱", "没信号", "无信号", "没有信号", "信号", "覆盖", "掉线", "断线", "掉话",
        "通话中断", "断网", "网速慢", "网速", "上网慢", "太卡", "卡顿", "延迟", "打不通", "接不通", "无法上网", "上不了网", "连不上", "无法连接",
        "无服务", "基站", "杂音", "宽带故障", "故障",
    ),
    "process": (
        "complicated procedure", "procedure", "paperwork", "too many steps", "complicated", "queue", "queued", "waiting in line",
        "waited in line", "long wait in store", "activation", "not activated", "registration", "on hold", "transferred", "documents",
        "application pending", "password", "ownership", "app crash", "cannot log in", "can't log in", "website", "bureaucracy",
        "办理流程", "流程", "手续", "办理慢", "办理不了", "无法办理", "办理", "排队", "等待时间", "审核", "开户", "激活", "密码", "材料不全",
        "过户", "登录不了", "繁琐", "复杂", "跑了几趟", "营业厅",
    ),
    "plan_fit": (
        "does not fit", "doesn't fit", "not suitable", "unsuitable", "wrong plan", "too much data", "not enough data", "data not enough",
        "run out of data", "ran out of data", "out of data", "unused data", "unused minutes", "not enough minutes", "change plan",
        "change my plan", "downgrade", "upgrade my plan", "plan", "package", "allowance", "overage", "usage", "bundle",
        "套餐不合适", "套餐不适合", "不合适", "不适合", "套餐", "流量不够", "流量用不完", "用不完", "不够用", "语音不够", "换套餐", "改套餐",
        "降档", "降套餐", "流量超", "超出套餐", "套外", "用量",
    ),
    "competitor_price": (
        "competitor", "rival", "competing offer", "competing", "other operator", "another operator", "other provider", "another provider",
        "other carrier", "another carrier", "better offer", "better deal", "cheaper elsewhere", "cheaper offer", "cheaper",
        "switch to", "switching to", "switching", "port out", "port my number", "porting",
        "竞争对手", "竞争", "其他运营商", "别的运营商", "隔壁运营商", "换一家", "别家", "其他家", "对手", "更便宜", "便宜", "更优惠", "携号转网", "转网", "携转",
        "移动更", "联通更", "电信更", "广电更",
    ),
    "plan_price": (
        "price increase", "price rise", "price went up", "raised the price", "raised my price", "rate increase", "higher price", "too expensive",
        "expensive", "overcharged", "overcharge", "wrongly charged", "charged twice", "double charge", "wrong bill", "bill shock",
        "bill too high", "high bill", "billing error", "billing", "bill", "fee", "fees", "charge", "charges", "charged", "price", "prices",
        "pricing", "tariff", "cost", "costs", "refund", "hidden fee",
        "套餐涨价", "涨价", "调价", "提价", "太贵", "贵", "乱扣费", "乱收费", "多扣", "多收", "扣费", "收费", "资费", "话费", "月费", "费用",
        "账单", "价格", "计费", "退费", "退款", "隐形消费",
    ),
    "after_sales": (
        "after-sales", "after sales", "repair", "repairs", "repaired", "technician", "engineer did not come", "not fixed", "still broken",
        "not resolved", "unresolved", "no solution", "never solved", "warranty", "replacement", "installation", "complained again",
        "complaint ignored", "no one called back", "no call back", "no callback", "customer service", "hotline", "call centre",
        "call center", "support",
        "售后", "维修", "报修", "修不好", "没修好", "师傅", "上门", "安装", "装机", "移机", "保修", "退换", "未解决", "没有解决", "没解决",
        "不解决", "不处理", "没人处理", "无人处理", "没有回复", "不回复", "推诿", "踢皮球", "再次投诉", "客服", "热线", "投诉无果",
    ),
    "care": (
        "rude", "attitude", "impolite", "unfriendly", "not cared", "nobody cares", "no one cares", "don't care", "do not care",
        "ignored", "ignore", "neglected", "loyal customer", "old customers", "existing customers", "no reward", "not valued",
        "harassing calls", "harassment", "spam", "callback", "call back", "call me back", "called me back", "hung up", "chatbot", "unanswered", "marketing calls", "too many calls", "disrespect",
        "关怀", "不关心", "没人管", "冷漠", "态度差", "态度恶劣", "态度不好", "态度", "不耐烦", "不尊重", "老用户", "老客户", "忽视", "不重视",
        "骚扰", "推销", "营销电话", "回访", "回电", "挂电话", "挂断", "机器人客服", "客户经理",
    ),
    "personal": (
        "personal", "moving abroad", "abroad", "deceased", "death", "family", "no longer need", "no longer needed", "do not need",
        "don't need", "second sim", "special request", "special needs", "custom", "customised", "esim", "multi-sim", "smart watch",
        "itemised invoice", "large print", "do you support", "hard of hearing", "disability", "accessible", "not supported", "do not offer", "does not support", "financial difficulty", "unemployed",
        "个性化", "个人原因", "个人", "出国", "去世", "家庭原因", "家人", "不需要", "不再需要",
        "用不着", "用不上", "不用了", "多余", "定制",
        "特殊需求", "特殊要求", "手表", "一卡双号", "一号双终端", "听障", "无障碍", "不支持", "能不能支持", "电子发票", "大字版", "副卡",
    ),
    "regulation": (
        "regulation", "regulations", "regulator", "regulatory", "policy", "policies", "law", "legal", "government", "privacy", "data protection",
        "personal data", "consent", "real-name", "real name", "ministry", "identity check", "identity", "verification", "verify", "suspected fraud",
        "fraud", "expired id", "number of sims",
        "政策法规", "政策", "法规", "法律", "规定", "监管", "工信部", "管局", "通管局", "隐私", "泄露", "信息安全", "实名制", "合规", "实名认证", "实名登记", "二次实名", "实名", "身份验证", "身份核验", "身份证",
        "反诈", "涉诈", "诈骗", "断卡", "新规",
    ),
    "environment": (
        "moving", "moved", "moved away", "moving away", "relocation", "relocate", "relocated", "change of address", "address change", "new address", "new job",
        "job change", "changed jobs", "graduated", "graduation", "employer", "company phone", "new building", "market", "environment", "economy", "economic", "recession", "new technology", "technology", "no 5g", "messaging app", "voip",
        "season", "holiday", "pandemic", "trend",
        "搬家", "搬走", "搬迁", "搬到", "地址变更", "迁址", "换工作", "毕业", "离职", "调动", "单位手机", "新小区", "市场环境", "市场", "大环境", "环境", "经济", "新技术", "技术更新", "行业", "疫情", "季节", "节假日", "春节", "暑假",
    ),
}  # fmt: skip
"""The words that speak for each cause; upper and lower case are one."""

THREATS = frozenset(
    (
        "switch to",
        "switching to",
        "switching",
        "port out",
        "port my number",
        "porting",
        "换一家",
        "携号转网",
        "转网",
        "携转",
    )
)
"""Words of competitor_price that say that somebody may go, not why: they count least, so that any other word comes first."""

MAX_TEXT = 4_000
"""Characters of a text that are read: a complaint says what it is about in the beginning."""

SEPARATORS = re.compile(r"[\s_/-]+")


def plain(text: str) -> str:
    """Lower case, words apart by one space."""
    return SEPARATORS.sub(" ", text[:MAX_TEXT].lower().replace("\u2019", "'"))


def weight(word: str) -> int:
    """How much a word says."""
    if word in THREATS:
        return 1
    return sum(1 if character.isascii() else 2 for character in word)


def index_words() -> dict[str, list[tuple[str, int, int]]]:
    """(word, cause, weight), the longest first, by the word's first two characters, or by its only one."""
    index: dict[str, list[tuple[str, int, int]]] = {}
    for cause, words in WORDS.items():
        for word in words:
            index.setdefault(plain(word)[:2], []).append((plain(word), CAUSE[cause], weight(word)))
    return {
        start: sorted(found + (index.get(start[0], []) if len(start) == 2 else []), key=lambda each: -len(each[0]))
        for start, found in index.items()
    }


WORDS_BY_START = index_words()
CHINESE_STARTS = "".join(sorted({start[0] for start in WORDS_BY_START if not start.isascii()}))
TOKEN = re.compile(f"[a-z0-9]+|[{CHINESE_STARTS}]")
"""Where one of our words may begin: at an English word, or at the first character of a Chinese one."""


def word_starting(text: str, start: int) -> tuple[str, int, int] | None:
    """The longest of our words that stands at this place."""
    pair = text[start : start + 2]
    for found in WORDS_BY_START.get(pair) or WORDS_BY_START.get(pair[0]) or ():
        if text.startswith(found[0], start) and not splits_word(text, start + len(found[0])):
            return found
    return None


def splits_word(text: str, end: int) -> bool:
    """Whether an English word goes on at this place."""
    pair = text[end - 1 : end + 1]
    return len(pair) == 2 and pair.isascii() and pair.isalnum()


def cause_in(text: str) -> int:
    """The code of the cause that most of the text's words speak of, 0 (unknown) for none."""
    text = plain(text)
    scores: dict[int, int] = {}
    end = 0
    for token in TOKEN.finditer(text):
        start = token.start()
        found = word_starting(text, start) if start >= end else None
        if found is not None:
            scores[found[1]] = scores.get(found[1], 0) + found[2]
            end = start + len(found[0])
    return max(scores, key=scores.__getitem__) if scores else 0


@lru_cache(maxsize=4096)
def cause_of_category(category: str | None) -> int:
    """The code of the cause that a category (or a short reason) names or speaks of, 0 (unknown) for none."""
    if category is None:
        return 0
    code = CAUSE.get(category.strip().lower().replace("-", "_").replace(" ", "_"))
    return cause_in(category) if code is None else code


def cause_of_text(text: str | None) -> int:
    """The code of the cause that a free text speaks of, 0 (unknown) for none."""
    return cause_in(text) if text else 0
