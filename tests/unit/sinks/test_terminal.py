"""What the terminal shows."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from sinks.terminal import Board, progress_bar, style_of, summary

TIERS = ("watch", "warning", "critical")


def shown(renderable: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(renderable)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def warning(number: int = 1, **changed: Any) -> dict[str, Any]:
    text = {"en": "used 21 % of the usual data", "zh-CN": "流量降至平时的 21 %"}
    return {
        "warning_id": f"w{number}",
        "status": "raised",
        "customer_id": f"c{number}",
        "tier": "warning",
        "risk": 0.83,
        "cause": "network",
        "reasons": [{"text": text}],
        "actions": [{"text": {"en": "send an engineer", "zh-CN": "安排上门检测"}}],
        "held_out": False,
        **changed,
    }


def board(*warnings: dict[str, Any], language: str = "en") -> Board:
    one = Board(TIERS, language)
    one.update(warnings, "2026-01-01T00:00:00Z", 1234, 5678.9)
    return one


def test_a_summary_says_tiers_and_what_was_refused() -> None:
    text = shown(
        summary(
            {
                "events": 12_000,
                "events_per_second": 250_000.0,
                "customers": 60,
                "duplicates": 0,
                "after_score_at": 3,
                "dead_letters": {"too_late": 2},
                "warnings": {"by_tier": {"watch": 7}},
            },
            TIERS,
        )
    )
    assert [line.split() for line in text.splitlines()] == [
        ["12,000", "events,", "250,000", "a", "second"],
        ["60", "customers"],
        ["3", "after", "score", "at"],
        ["2", "dead", "letters:", "too_late"],
        ["warnings"],
        ["critical", "0"],
        ["warning", "0"],
        ["watch", "7"],
    ]


def test_the_board_counts_open_episodes_once_and_by_their_newest_tier() -> None:
    text = shown(
        board(
            warning(1),
            warning(1, status="elevated", tier="critical"),
            warning(2),
            warning(3),
            warning(3, status="cleared"),
            warning(4, held_out=True),
        )
    )
    assert "critical 1   warning 1   watch 0" in text
    assert "network 3" in text
    assert "c4" not in text


def test_the_board_speaks_both_languages() -> None:
    assert "used 21 % of the usual data" in shown(board(warning()))
    assert "流量降至平时的 21 %" in shown(board(warning(), language="zh-CN"))


def test_what_customers_are_called_is_not_taken_for_markup() -> None:
    assert "[bold]x[/nothing]" in shown(board(warning(customer_id="[bold]x[/nothing]")))


def test_tiers_are_coloured_from_the_top_whatever_their_number() -> None:
    assert style_of("high", ("low", "high")) == style_of("critical", TIERS) == style_of("e", ("a", "b", "c", "d", "e"))
    assert style_of("gone", TIERS) == ""


def test_nothing_is_shown_in_a_pipe() -> None:
    out = io.StringIO()
    with progress_bar(Console(file=out), 100) as watch:
        watch(50, 1000)
    assert out.getvalue().strip() == ""
