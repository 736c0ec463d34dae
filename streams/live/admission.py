"""Whether an order is one to work by. Every worker and the command that gives an order judge alike, by the topic alone."""

from __future__ import annotations

from pathlib import Path

from rules.approval import Book, same_person
from rules.faults import ConfigurationError
from rules.load import Configuration
from streams.live.bundle import Approval, Files, Order, UnreadableRecordError, rules_digest
from streams.live.journal import Reload
from streams.live.library import Library, RefusedError, needs_restart


def admitted(order: Order, offset: int, current: str, library: Library) -> Reload | None:
    """What an order asks of every partition; None where it asks for what is so already. `current`: the bundle in force, or "".

    Raises RefusedError.
    """
    if order.bundle == current and not order.released:
        return None
    if order.released and order.bundle != current:
        raise RefusedError("outdated", f"rules were released of a rule set that is not in force ({order.bundle[:12]})")
    files, configuration = _read(order.bundle, library)
    if order.released:
        _all_there(order.released, configuration)
    if current:
        before_files, before = _read(current, library)
        reason = needs_restart(before, configuration)
        if reason and not order.rebuild:
            raise RefusedError("settings", reason)
        _approved(order, files, configuration, before_files, before)
    return Reload(offset, order.bundle, [*order.released], order.rebuild)


def _read(digest: str, library: Library) -> tuple[Files, Configuration]:
    try:
        return library.files(digest), library.configuration(digest)
    except KeyError:
        raise RefusedError("missing", f"rule set {digest[:12]} was never made known") from None
    except UnreadableRecordError as error:
        raise RefusedError("missing", str(error)) from error
    except ConfigurationError as error:
        raise RefusedError("faults", str(error)) from error


def _all_there(released: list[str], configuration: Configuration) -> None:
    known = {rule.id for rule in configuration.rules.rules if rule.mode == "live"}
    if missing := [name for name in released if name not in known]:
        raise RefusedError("outdated", f"no live rule `{missing[0]}` is in force")


def _approved(
    order: Order, files: Files, configuration: Configuration, before_files: Files, before: Configuration
) -> None:
    """Four eyes, by what was in force: a rule set cannot excuse itself."""
    asked = configuration.settings.approval.four_eyes
    if before.settings.approval.four_eyes and not asked:
        message = (
            "`approval.four_eyes` cannot be switched off by a rule set (CHURN_APPROVAL__FOUR_EYES of all workers can)"
        )
        raise RefusedError("approval", message)
    if not (asked and rules_digest(files) != rules_digest(before_files)):
        return
    approval = order.approval
    if approval is None or approval.rules != rules_digest(files):
        raise RefusedError("approval", f"the rules {rules_digest(files)[:12]} were not approved (churn rules approve)")
    if not approval.approved_by or same_person(approval.proposed_by, approval.approved_by):
        raise RefusedError("approval", f"{approval.proposed_by} proposed them: another person must approve them")


def approval_of(folder: Path, files: Files) -> Approval | None:
    """Who approved these rules, by the log of a configuration folder; None when they are not those in force there.

    Raises ApprovalError for a log that was tampered with.
    """
    book, rules = Book(folder), rules_digest(files)
    if book.active is None or book.active.files != rules:
        return None
    proposed = [one for one in book.entries if one.act == "proposed" and one.files == rules]
    approved = [one for one in book.entries if one.act == "approved" and one.files == rules]
    return Approval(rules, proposed[-1].by, approved[-1].by) if proposed and approved else None
