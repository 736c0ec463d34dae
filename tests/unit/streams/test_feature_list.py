"""The catalogue of features fits the terminal, whatever its width and language, and no name is broken."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from detectors.features import FEATURES
from streams.commands.feature_list import HEADS, LEGEND, SPREAD, list_features


def printed(width: int, spread: dict[str, str]) -> list[str]:
    out = StringIO()
    list_features(Console(file=out, width=width, force_terminal=True, color_system=None), FEATURES, spread)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("width", [40, 80, 109, 110, 200])
def test_every_line_fits_and_every_name_stands_whole(width: int, told: bool) -> None:
    spread = {one.name: "0 | 1 | 2 | 3 | 4 (known 100%)" for one in FEATURES} if told else {}
    lines = printed(width, spread)
    assert max(map(cell_len, lines)) <= width
    begun = [line.split()[0] for line in lines if line.strip() and not line.startswith(" ")]
    assert {one.name for one in FEATURES} <= set(begun)
    said = "".join("".join(lines).split())
    for one in FEATURES:
        if width < 110:
            assert "".join(one.zh.split()) in said
    for part in ("name", "unit", "window", "meaning", "含义", SPREAD if told else "causes", *LEGEND):
        assert "".join(part.split()) in said, part


def test_values_of_a_class_are_listed() -> None:
    assert "high, mid, low" in "\n".join(printed(200, {}))
    assert "value_class (class" in "\n".join(printed(60, {}))


def test_without_a_terminal_columns_are_headed_too() -> None:
    out = StringIO()
    list_features(Console(file=out, width=40), FEATURES, {})
    head, *rows = out.getvalue().splitlines()
    assert head == "\t".join(HEADS)
    assert {row.count("\t") for row in rows} == {len(HEADS) - 1}
