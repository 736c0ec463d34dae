"""What one configuration file says about another, and one key about another: every name must exist where it is used."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from events.contract import Cause
from rules.documents import Document, Path
from rules.faults import Fault
from rules.hints import did_you_mean
from rules.settings import ActionFile, Settings, WorkdaysFile
from rules.workdays import Holiday, WorkCalendar


def settings_faults(document: Document, settings: Settings) -> Iterator[Fault]:
    """Tiers named once, and deadlines and hold-out shares for those tiers only."""
    for i, tier in enumerate(settings.tiers):
        if tier in settings.tiers[:i]:
            yield document.fault(("tiers", i), f"the tier `{tier}` stands here twice", "duplicate-id")
        if tier not in settings.deadlines:
            yield document.fault(("deadlines",), f"the tier `{tier}` has no deadlines", "missing-key")
    for section in ("deadlines", "hold_out"):
        yield from _unknown_tiers(document, (section,), getattr(settings, section), settings.tiers)
    if "other" not in settings.routing:
        yield document.fault(("routing",), "the key `other` is missing (every class not named)", "missing-key")


def action_faults(document: Document, file: ActionFile, tiers: Collection[str]) -> Iterator[Fault]:
    """Every cause is there, for known tiers, with known actions."""
    for cause in get_args(Cause):
        if cause not in file.causes:
            yield document.fault(("causes",), f"the cause `{cause}` is missing", "missing-key")
    for cause, entry in file.causes.items():
        path: Path = ("causes", cause, "actions")
        yield from _unknown_tiers(document, path, entry.actions, tiers)
        for tier, codes in entry.actions.items():
            for i, code in enumerate(codes):
                if code not in file.actions:
                    message = f"no action `{code}`{did_you_mean(code, file.actions)}"
                    yield document.fault((*path, tier, i), message, "unknown-name")


def calendar_of(document: Document, file: WorkdaysFile, utc_offset: int) -> tuple[WorkCalendar | None, list[Fault]]:
    """The working calendar, or why it cannot be one."""
    week = file.week
    weekly = [week.monday, week.tuesday, week.wednesday, week.thursday, week.friday, week.saturday, week.sunday]
    holidays = [Holiday(one.first, one.last) for one in file.holidays]
    make_up = [day for one in file.holidays for day in one.make_up]
    faults = [
        document.fault(("holidays", i, "make_up", j), f"{day} is a public holiday ({other.name})", "contradiction")
        for i, one in enumerate(file.holidays)
        for j, day in enumerate(one.make_up)
        for other in file.holidays
        if other.first <= day <= other.last
    ]
    try:
        return WorkCalendar(weekly, holidays, make_up, file.make_up_hours, utc_offset), faults
    except ValueError as error:
        return None, [*faults, document.fault(("week",), str(error), "contradiction")]


def _unknown_tiers(document: Document, path: Path, named: Collection[str], tiers: Collection[str]) -> Iterator[Fault]:
    for tier in named:
        if tier not in tiers:
            message = f"no tier `{tier}`{did_you_mean(tier, tiers)}"
            yield document.fault((*path, tier), message, "unknown-name", key=True)
