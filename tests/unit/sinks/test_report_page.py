"""The page: well-formed, fetches nothing, escapes everything, speaks both languages."""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sinks.report import charts
from sinks.report.findings import findings
from sinks.report.page import page
from sinks.report.svg import ticks
from sinks.report.words import ENDINGS, NAMES, WORDS


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made = load("report_history")
VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = "<script>alert('x')</script>&\"'><img src=http://evil.example/x onerror=y>{{ 7*7 }}"


class Strict(HTMLParser):
    """Fails on what does not nest, and remembers what was said and asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag}: an attribute given twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(text: str) -> Strict:
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def rendered(language: str = "en", **said: Any) -> str:
    model = {"labelled": 90, "auc": 0.81, "average_precision": 0.2, "brier": 0.05, "calibration_error": 0.01}
    return page(findings(made.history(**said), None, None, model), language, made.TIERS, made.CAUSE_NAMES)


def test_it_nests_and_has_its_plots() -> None:
    parsed = read(rendered())
    assert parsed.tags.count("h1") == 1
    assert parsed.tags.count("figure") == parsed.tags.count("figcaption") == 8
    assert parsed.tags.count("polyline") == 1  # retention; nothing else was known in two months running
    said = "".join(parsed.said)
    assert "4 warnings were given" in said
    assert "Of 100 warnings at “warning” or above, 100 were followed by leaving" in said
    assert "AUC 0.810" in said
    assert "warnings a day" in said


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_it_fetches_nothing(language: str) -> None:
    text = rendered(language, rule=HOSTILE, region=HOSTILE)
    parsed = read(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "use", "image", "form", "base"} & set(parsed.tags)
    assert not {"href", "src", "srcset", "action", "data", "xlink:href"} & {name for name, _ in parsed.attributes}
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    assert "default-src 'none'" in text


def test_what_others_wrote_is_text_and_nothing_else() -> None:
    history = made.history(rule=HOSTILE, region=HOSTILE)
    history.ledger.warned_of(
        [{
            "incident_id": HOSTILE, "revision": 1, "status": HOSTILE, "kind": HOSTILE, "scope": HOSTILE,
            "started_at": "2026-01-10T00:00:00Z", "customers": 40, "high_value": 3,
        }]
    )  # fmt: skip
    parsed = read(page(findings(history, None, None, None), "en", made.TIERS, made.CAUSE_NAMES))
    assert "script" not in parsed.tags
    assert not any(name.startswith("on") for name, _ in parsed.attributes)
    said = "".join(parsed.said)
    assert said.count(HOSTILE) >= 5  # as a rule, a region (twice), an incident's kind, scope and status
    assert "49" not in re.findall(r"\{\{ (.*?) \}\}", said)


def test_labels_of_plots_are_escaped() -> None:
    drawn = charts.stacked(HOSTILE, (HOSTILE, HOSTILE), [HOSTILE], [(HOSTILE, "#000", [1.0])])
    assert set(read(str(drawn)).tags) <= {"svg", "text", "rect", "title", "line"}


def test_it_speaks_chinese() -> None:
    text = rendered("zh-CN")
    assert '<html lang="zh-CN">' in text
    said = "".join(read(text).said)
    for words in (
        "客户流失预警报告",
        "共发出 4 条预警",
        "网络质量",
        "关怀不足",
        "紧急",
        "同量随机",
        "停用但没有离网记录",
    ):
        assert words in said
    assert "precision" not in said
    with pytest.raises(ValueError, match="klingon"):
        rendered("klingon")


@pytest.mark.parametrize("table", [WORDS, NAMES, ENDINGS])
def test_both_languages_say_the_same_values(table: dict[str, tuple[str, str]]) -> None:
    for key, (english, chinese) in table.items():
        assert english, key
        assert chinese, key
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key


def test_what_is_not_known_is_said() -> None:
    history = made.history()
    history.log.leavers.clear()
    text = "".join(read(page(findings(history, None, None, None), "en", made.TIERS, made.CAUSE_NAMES)).said)
    assert "how good the warnings were cannot be said" in text
    assert "precision" not in text

    quiet = made.history()
    quiet.log.episodes.clear()
    text = "".join(read(page(findings(quiet, None, None, None), "en", made.TIERS, made.CAUSE_NAMES)).said)
    assert "No warnings were given." in text

    alone = made.history()
    alone.log.episodes[:] = [line for line in alone.log.episodes if not line.held_out]
    text = "".join(read(page(findings(alone, None, None, None), "en", made.TIERS, made.CAUSE_NAMES)).said)
    assert "no customers were held out" in text


def test_other_tiers_and_a_long_period() -> None:
    history = made.history()
    log = history.log
    log.tiers = ("low", "high")
    for line in log.episodes:
        del line.reached[2:]
    long = history._replace(end=made.noon(400))
    text = page(findings(long, None, None, None), "en", log.tiers, made.CAUSE_NAMES)
    assert "warnings a week" in "".join(read(text).said)


@pytest.mark.parametrize("most", [0, 0.003, 0.07, 1, 3, 7, 11, 99, 1234, 5e6])
def test_ticks_reach_the_most_in_few_steps(most: float) -> None:
    marks = ticks(most)
    assert marks[0] == 0
    assert marks[-1] >= most
    assert 2 <= len(marks) <= 6
    assert all(mark == int(mark) for mark in ticks(most, whole=True))
