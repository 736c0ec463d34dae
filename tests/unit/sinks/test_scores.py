"""The table of scores."""

from __future__ import annotations

import csv
from pathlib import Path

from sinks.scores import write_scores


def test_unknown_risk_and_no_episode_are_empty_and_ids_are_quoted(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    rows = [("a", 0.1 + 0.2, "watch"), ("b", None, None), ('c,"d"\n客', 0.0, "critical")]

    assert write_scores(path, "2025-01-01T00:00:00Z", rows) == 3

    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table[0] == ["customer_id", "scored_at", "risk", "tier"]
    assert table[1:] == [
        ["a", "2025-01-01T00:00:00Z", "0.30000000000000004", "watch"],
        ["b", "2025-01-01T00:00:00Z", "", ""],
        ['c,"d"\n客', "2025-01-01T00:00:00Z", "0.0", "critical"],
    ]


def test_an_id_that_a_spreadsheet_would_run_is_made_a_text(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    run = ["=1+1", "@SUM(A1)", "\t=1", "\r=1", "+cmd|' /C calc'!A0", '-HYPERLINK("x")']
    plain = ["+8613800138000", "-17", "a=1", "'=1", "", "+a-b"]
    write_scores(path, "2025-01-01T00:00:00Z", [(one, None, None) for one in [*run, *plain]])
    with path.open(newline="", encoding="utf-8") as file:
        assert [row[0] for row in csv.reader(file)][1:] == [*(f"'{one}" for one in run), *plain]
