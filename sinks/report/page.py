"""The findings as one HTML page that needs no network: plots are drawn in place, styles are in the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from sinks.report import charts
from sinks.report.plots import Plots
from sinks.report.summary import notes, summary
from sinks.report.svg import COLOURS
from sinks.report.words import ENDINGS, LANGUAGES, NAMES, named, speaker

MOST_ROWS: Final = 15
"""Rows of a table; the JSON has all."""


def page(
    findings: Mapping[str, Any], language: str, tiers: Sequence[str], causes: Mapping[str, Mapping[str, str]]
) -> str:
    """The page in a language. `tiers` from the mildest, `causes` are the names of causes by language.

    Raises ValueError for a language that is not spoken.
    """
    say = speaker(language)
    names = dict(NAMES) | {
        cause: (texts[LANGUAGES[0]], texts[LANGUAGES[1]]) for cause, texts in causes.items() if cause != "unknown"
    }
    name = named(names, language)
    # A cause and an incident's kind may share a code, so kinds have the plain table.
    kind = named(NAMES, language)
    environment = Environment(
        loader=PackageLoader("sinks.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "name": name,
        "kind": kind,
        "ending": named(ENDINGS, language),
        "count": count,
        "decimal": decimal,
        "points": points,
    }
    plots = Plots(findings, say, name, tiers)
    return environment.get_template("page.html.j2").render(
        f=findings,
        t=say,
        language=language,
        tiers=tiers,
        plots=plots,
        charts=charts,
        colours=COLOURS,
        summary=summary(findings, say, name, tiers),
        notes=notes(findings, say),
        most=MOST_ROWS,
        pilot=findings.get("pilot"),
        heading="pilot_title" if "pilot" in findings else "title",
    )


def percent(share: float | None) -> str:
    """A share for people; a dash where it is not known."""
    return "–" if share is None else f"{share * 100:.1f} %"


def count(number: float | None) -> str:
    """A count for people."""
    return "–" if number is None else f"{number:,.0f}"


def decimal(number: float | None) -> str:
    """A number with one decimal."""
    return "–" if number is None else f"{number:.1f}"


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{share * 100:+.1f}".replace("-", "−")
