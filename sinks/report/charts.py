"""The plots of the report: bars over time, lines over months, pairs to compare, small bars for tables."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from sinks.report.svg import BOTTOM, COLOURS, GREY, HALF, HEIGHT, Frame, bar, dot, drawing, line, number, text, ticks

Series = tuple[str, str, Sequence[float]]
"""Name, colour, one value per place."""
Gappy = tuple[str, str, Sequence[float | None]]


def stacked(title: str, axes: tuple[str, str], labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Bars on one another; `axes` are what y and x are."""
    totals = [sum(values[k] for _, _, values in series) for k in range(len(labels))]
    frame = Frame(ticks(max(totals, default=0), whole=True), len(labels))
    parts = frame.axes(*axes, labels, percent=False)
    width = min(frame.place * 0.86, 60.0)
    for k, label in enumerate(labels):
        under = 0.0
        for name, colour, values in series:
            if values[k]:
                top, foot = frame.y(under + values[k]), frame.y(under)
                parts.append(
                    bar(frame.x(k) - width / 2, top, width, foot - top, colour, f"{label}: {name} {values[k]:g}")
                )
                under += values[k]
    return Markup(drawing(title, parts))  # noqa: S704 - every text in it was escaped


def lines(
    title: str, axes: tuple[str, str], labels: Sequence[str], series: Sequence[Gappy], low: float = 0.0
) -> Markup:
    """Shares over months, y from `low` to 100 %; unknown months are gaps."""
    step = 0.25 if low < 0.5 else 0.1 if low < 0.8 else 0.05 if low < 0.9 else 0.02 if low < 0.95 else 0.01
    marks = [k * step for k in range(round(1 / step) + 1)]
    frame = Frame(marks, len(labels), low)
    parts = frame.axes(*axes, labels, percent=True)
    for name, colour, values in series:
        run: list[tuple[float, float]] = []
        for k, value in enumerate([*values, None]):
            if value is None:
                parts += [line(run, colour)] if len(run) > 1 else []
                run = []
                continue
            run.append((frame.x(k), frame.y(value)))
            parts.append(dot(*run[-1], colour, f"{labels[k]}: {name} {value:.1%}"))
    return Markup(drawing(title, parts))  # noqa: S704 - every text in it was escaped


def pairs(title: str, axes: tuple[str, str], labels: Sequence[str], series: Sequence[Gappy]) -> Markup:
    """Shares side by side with their numbers on top; unknown ones say so by a dash."""
    most = max((value for _, _, values in series for value in values if value is not None), default=0.0)
    frame = Frame(ticks(min(1.0, most * 1.1)), len(labels), width=HALF)
    parts = frame.axes(*axes, labels, percent=True)
    width = min(frame.place * 0.8 / len(series), 56.0)
    for s, (name, colour, values) in enumerate(series):
        for k, value in enumerate(values):
            x = frame.x(k) + (s - len(series) / 2) * width
            said = "–" if value is None else f"{value * 100:.1f} %"
            top = frame.y(value or 0.0)
            parts.append(bar(x, top, width * 0.94, HEIGHT - BOTTOM - top, colour, f"{labels[k]}: {name} {said}"))
            parts.append(text(x + width / 2, top - 4, said, "value"))
    return Markup(drawing(title, parts, HALF))  # noqa: S704 - every text in it was escaped


def spark(values: Sequence[float], colour: str = COLOURS[0]) -> Markup:
    """A row of small bars, for a table; the highest fills the height."""
    most = max(values, default=0) or 1
    place = 120 / max(1, len(values))
    parts = [
        f'<rect x="{number(k * place)}" y="{number(20 - 20 * value / most)}" width="{number(place * 0.8)}" '
        f'height="{number(20 * value / most)}" fill="{colour}"/>'
        for k, value in enumerate(values)
    ]
    return Markup('<svg viewBox="0 0 120 20" class="spark" aria-hidden="true">' + "".join(parts) + "</svg>")  # noqa: S704 - numbers alone


def meter(share: float | None, colour: str = COLOURS[0]) -> Markup:
    """A bar of a share, for a table."""
    if share is None:
        return Markup("")
    full = f'<rect width="100" height="10" fill="{GREY}" opacity="0.35"/>'
    part = f'<rect width="{number(100 * min(1.0, share))}" height="10" fill="{colour}"/>'
    return Markup(f'<svg viewBox="0 0 100 10" class="meter" aria-hidden="true">{full}{part}</svg>')  # noqa: S704 - numbers alone
