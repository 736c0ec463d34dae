"""What the terminal shows."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from rich.console import Console, RenderableType

from rules.early_warning import EarlyWarning, EpisodeStatus, ProposedAction, WarningReason
from sinks.terminal import Board, progress_bar, style_of, summary

SAID = {"en": "used 21 % of the usual data", "zh-CN": "流量降至平时的 21 %"}
TIERS = ("watch", "warning", "critical")


def shown(renderable: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(renderable)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def warning(number: int = 1, **changed: Any) -> EarlyWarning:
    one = EarlyWarning(
        warning_id=f"w{number}",
        revision=1,
        status=EpisodeStatus.RAISED,
        status_reason=None,
        customer_id=f"c{number}",
        account_id=None,
        raised_at="2026-01-01T00:00:00Z",
        decided_at="2026-01-01T00:00:00Z",
        tier="warning",
        risk=0.83,
        horizon_days=30,
        cause="network",
        rules=(),
        reasons=(WarningReason("usage_drop", "network", "data_mb_7d_vs_own", 0.21, 1.0, 0.6, SAID, sayable=True),),
        actions=(
            ProposedAction("visit", {"en": "send an engineer", "zh-CN": "安排上门检测"}, 0.0, needs_approval=False),
        ),
        value_class=None,
        lifecycle=None,
        queue="care",
        ack_by=None,
        resolve_by=None,
        held_out=False,
        versions={},
    )
    return msgspec.structs.replace(one, **changed)


def board(*warnings: EarlyWarning, language: str = "en") -> Board:
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
            warning(1, status=EpisodeStatus.ELEVATED, tier="critical"),
            warning(2),
            warning(3),
            warning(3, status=EpisodeStatus.CLEARED),
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
