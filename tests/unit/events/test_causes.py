"""What complaints speak of, in both languages."""

import pytest

from events.causes import WORDS, cause_of_category, cause_of_text
from events.codes import CAUSES


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("The network is slow and my calls drop all the time", "network"),
        ("信号太差，经常掉线，打电话也打不通", "network"),
        ("办理流程太复杂，跑了几趟营业厅", "process"),
        ("Too many steps and a queue only to get the SIM activated: paperwork!", "process"),
        ("套餐不合适，流量用不完", "plan_fit"),
        ("I always run out of data", "plan_fit"),
        ("别家运营商更便宜，我要携号转网", "competitor_price"),
        ("A competitor has a better deal", "competitor_price"),
        ("套餐涨价，太贵了", "plan_price"),
        ("I was charged twice on this bill", "plan_price"),
        ("报修一个月，没人处理，互相推诿", "after_sales"),
        ("The technician never came and it is still broken", "after_sales"),
        ("客服态度恶劣，很不耐烦", "care"),
        ("Nobody cares about old customers", "care"),
        ("因为出国，个人原因", "personal"),
        ("moving abroad next month", "personal"),
        ("Do you support eSIM?", "personal"),
        ("We have moved house, the new address is outside your area", "environment"),
        ("我搬家了，换工作了", "environment"),
        ("Why must I verify my identity again", "regulation"),
        ("二次实名停机，涉诈误判", "regulation"),
        ("No one called me back, I will port my number", "care"),
        ("信号差，再不解决我就携号转网", "network"),
        ("I am switching", "competitor_price"),
        ("我要携号转网", "competitor_price"),
        ("违反工信部规定", "regulation"),
        ("You broke data protection law", "regulation"),
        ("大环境不好，行业变化", "environment"),
        ("It is the economy", "environment"),
        ("Hello, please call me", "unknown"),
        ("我的邻居", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_texts(text, cause):
    assert CAUSES[cause_of_text(text)] == cause


@pytest.mark.parametrize("text", ["planet", "planned", "a billion", "coffee", "newsletter about lawns", "feet"])
def test_english_words_are_whole_words(text):
    assert CAUSES[cause_of_text(text)] == "unknown"


@pytest.mark.parametrize("text", ["DROPPED_CALLS", "dropped-calls", "Dropped  calls", "dropped/calls"])
def test_case_and_separators_do_not_matter(text):
    assert CAUSES[cause_of_category(text)] == "network"


@pytest.mark.parametrize("cause", CAUSES)
def test_a_category_may_be_a_cause_itself(cause):
    assert CAUSES[cause_of_category(cause)] == cause
    assert CAUSES[cause_of_category(cause.replace("_", " ").title())] == cause


def test_every_cause_has_words_in_both_languages_and_none_has_another_s():
    assert tuple(WORDS) == CAUSES[1:]
    for words in WORDS.values():
        assert any(word.isascii() for word in words)
        assert any(not word.isascii() for word in words)
    every = [word for words in WORDS.values() for word in words]
    assert len(every) == len(set(every))


def test_most_words_win_and_a_tie_goes_to_the_first_named():
    assert CAUSES[cause_of_text("the price, the price, and the signal")] == "plan_price"
    assert CAUSES[cause_of_text("speed, price")] == "network"
    assert CAUSES[cause_of_text("price, speed")] == "plan_price"


def test_the_longest_of_overlapping_words_stands_alone():
    # "network price" words within: 套餐 speaks of the plan, 套餐涨价 of its price
    assert CAUSES[cause_of_text("套餐涨价")] == "plan_price"
    assert CAUSES[cause_of_text("套餐")] == "plan_fit"
