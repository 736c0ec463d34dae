"""Marks and axes of a plot as SVG text. Every text goes through `escape`; nothing is fetched from anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

WIDTH: Final = 860
HALF: Final = 420
"""Of two plots side by side."""
HEIGHT: Final = 250
LEFT: Final = 52
RIGHT: Final = 14
TOP: Final = 26
BOTTOM: Final = 42
COLOURS: Final = (
    "#2f6f9f",
    "#e0a030",
    "#b8433c",
    "#5b8c5a",
    "#7d6aa8",
    "#3a9c9c",
    "#c77ba0",
    "#8a7a52",
    "#6c7a89",
    "#a8b84a",
    "#4a4a68",
)
TIER_COLOURS: Final = ("#8fb8d4", "#e0a030", "#b8433c")
"""From the mildest of the highest three."""
GREY: Final = "#b9c0c8"


def number(value: float) -> str:
    """A coordinate."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def text(x: float, y: float, said: str, style: str = "", anchor: str = "middle") -> str:
    """Words at a place; `style` names classes of the page's style sheet."""
    kind = f' class="{style}"' if style else ""
    return f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"{kind}>{escape(said)}</text>'


def bar(x: float, y: float, width: float, height: float, colour: str, said: str) -> str:
    """A rectangle that says what it is when pointed at."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(max(width, 0.2))}" height="{number(max(height, 0))}"'
    return f'<rect {place} fill="{colour}"><title>{escape(said)}</title></rect>'


def line(points: Sequence[tuple[float, float]], colour: str) -> str:
    """A line through points."""
    path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def dot(x: float, y: float, colour: str, said: str) -> str:
    """A point that says what it is when pointed at."""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="3.5" fill="{colour}"><title>{escape(said)}</title></circle>'


def drawing(title: str, parts: Sequence[str], width: int = WIDTH, height: int = HEIGHT) -> str:
    """The whole; `title` is read aloud."""
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
    return head + "".join(parts) + "</svg>"


def ticks(most: float, whole: bool = False) -> list[float]:
    """Round numbers from 0 to at least `most`, four to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    if whole:
        step = max(1.0, math.ceil(step))
    return [k * step for k in range(math.ceil(most / step - 1e-9) + 1)]


class Frame:
    """Axes: y from `low` to the last tick, x in `count` equal places of a drawing `width` wide."""

    def __init__(self, marks: Sequence[float], count: int, low: float = 0.0, width: int = WIDTH) -> None:
        self.marks = [mark for mark in marks if mark >= low - 1e-12]
        self.low, self.top = low, self.marks[-1]
        self.width = width
        self.place = (width - LEFT - RIGHT) / max(1, count)

    def x(self, k: float) -> float:
        """The middle of place `k`."""
        return LEFT + self.place * (k + 0.5)

    def y(self, value: float) -> float:
        """The height of a value."""
        share = (value - self.low) / (self.top - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    def axes(self, y_label: str, x_label: str, labels: Sequence[str], percent: bool) -> list[str]:
        """Grid, numbers, the labels that have room, and what both axes are."""
        parts = [text(2, 12, y_label, "axis", "start"), text(self.width - RIGHT, HEIGHT - 4, x_label, "axis", "end")]
        for mark in self.marks:
            y = number(self.y(mark))
            said = f"{mark * 100:g} %" if percent else f"{mark:,.10g}"
            parts.append(f'<line x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y}" y2="{y}" class="grid"/>')
            parts.append(text(LEFT - 6, float(y) + 4, said, "tick", "end"))
        widest = max((sum(2 if ord(c) > 0x2E80 else 1 for c in label) for label in labels), default=1)
        every = max(1, math.ceil((widest * 6.6 + 10) / self.place))
        parts += [text(self.x(k), HEIGHT - BOTTOM + 16, labels[k], "tick") for k in range(0, len(labels), every)]
        return parts
