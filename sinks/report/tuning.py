"""The page of a tuning: the curve of each parameter, on the earlier part and on the later."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from sinks.report import charts
from sinks.report.page import percent
from sinks.report.svg import COLOURS, GREY

_STYLE: Final = (
    "body{margin:0;background:#f4f6f8;color:#1f2933;font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif}"
    "main{max-width:980px;margin:0 auto;padding:28px 20px}section{background:#fff;border:1px solid #dfe4e8;border-radius:8px;"
    "padding:20px 24px;margin:16px 0}svg{width:100%;height:auto}svg text{font-size:12px;fill:#1f2933}svg .tick,svg .axis{fill:"
    "#5b6770}svg .grid{stroke:#dfe4e8}table{border-collapse:collapse;width:100%}td,th{text-align:right;padding:4px 10px;"
    "border-bottom:1px solid #eef1f3}tr.chosen{background:#fdf3dc;font-weight:600}pre{background:#f4f6f8;padding:12px}"
    ".legend i{display:inline-block;width:11px;height:11px;margin:0 5px 0 14px}"
)
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Tuning of thresholds", "阈值调优"),
    "earlier": ("earlier part (chosen on)", "前段(用于选择)"),
    "later": ("later part (judged on)", "后段(用于评估)"),
    "precision": ("precision", "准确率"),
    "a_day": ("warnings a day", "每日预警"),
    "value": ("value", "取值"),
    "found": ("left / matured", "流失 / 已到期"),
    "none": ("no value keeps to the goal in the earlier part", "前段没有取值满足目标"),
}


def tuning_page(found: Mapping[str, Any], patch: str, language: str) -> str:
    """The page, in `en` or `zh-CN`."""
    w = {key: texts[int(language == "zh-CN")] for key, texts in WORDS.items()}
    body = "".join(_curve(one, w) for one in found["curves"])
    legend = "".join(
        f'<i style="background:{colour}"></i>{escape(w[key])}'
        for key, colour in (("earlier", COLOURS[0]), ("later", COLOURS[2]))
    )
    goal = escape(", ".join(f"{key} {value:g}" for key, value in found["goal"].items() if value is not None))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{policy}"><title>{escape(w["title"])}</title><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(w['title'])}</h1><p>{goal} · {escape(found['period']['from'])} – {escape(found['split'])} – "
        f'{escape(found["period"]["to"])}</p><p class="legend">{legend}</p>{body}'
        + (f"<section><pre>{escape(patch)}</pre></section>" if patch else "")
        + "</main></body></html>\n"
    )


def _curve(one: Mapping[str, Any], w: Mapping[str, str]) -> str:
    labels = [f"{row['value']:g}" for row in one["tried"]]
    series = [
        (w[part], colour, [row[part]["precision"] for row in one["tried"]])
        for part, colour in (("earlier", COLOURS[0]), ("later", COLOURS[2]))
    ]
    name = f"{one['rule']}: {one['parameter']}"
    precision = charts.lines(name, (w["precision"], w["value"]), labels, series)
    loads = [(w["a_day"], GREY, [round(row["earlier"]["a_day"], 2) for row in one["tried"]])]
    load = charts.stacked(name, (w["a_day"], w["value"]), labels, loads)
    rows = "".join(_row(row, row["value"] == one["chosen"]) for row in one["tried"])
    head = "".join(
        f"<th>{escape(text)}</th>"
        for text in (
            w["value"],
            *(f"{w[part]}: {w[key]}" for part in ("earlier", "later") for key in ("a_day", "found", "precision")),
        )
    )
    none = "" if one["chosen"] is not None else f"<p>{escape(w['none'])}</p>"
    return f"<section><h2>{escape(name)}</h2>{none}{precision}{load}<table><tr>{head}</tr>{rows}</table></section>"


def _row(row: Mapping[str, Any], chosen: bool) -> str:
    cells = [f"{row['value']:g}"]
    for part in ("earlier", "later"):
        one = row[part]
        interval = one["precision_interval"]
        around = "" if interval is None else f" ({percent(interval[0])}–{percent(interval[1])})"
        cells += [f"{one['a_day']:.2f}", f"{one['churned']} / {one['matured']}", percent(one["precision"]) + around]
    return f"<tr{' class=chosen' if chosen else ''}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
