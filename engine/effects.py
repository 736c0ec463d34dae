"""Facts that change an episode beside the rules: the customer left or came back, care found something, the line has another owner."""

from __future__ import annotations

from typing import Final

from customers.layout import C, L, T
from customers.partition import Work
from customers.rounds import APPLIED
from engine.parts import Parts
from events.codes import CAUSES
from events.contract import CareResolved, CustomerChurned, CustomerReturned, LineChanged
from rules.early_warning import StatusReason
from rules.outcomes import ACTIVE_US, Leaver

EFFECTS: Final = (CustomerChurned, CustomerReturned, CareResolved, LineChanged)
_TRANSFERRED: Final = "transferred"
_WHOLE_LINE: Final = (None, "mobile")  # of a product beside it, the subscription goes on
_ENDS_EPISODE: Final = {
    "retained": StatusReason.RESOLVED,
    "declined": StatusReason.RESOLVED,
    "false_alarm": StatusReason.RESOLVED,
    "do_not_contact": StatusReason.POLICY,
    "already_left": StatusReason.CHURNED,
}


class Effects:
    """The facts of the running batch that have not taken effect yet: each does once its event has been folded."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pending: list[int] = []  # by index
        self._work: Work | None = None

    def begin(self, work: Work) -> None:
        """A batch begins."""
        self._work = work
        self._pending = [i for i, fact in sorted(work.batch.facts.items()) if isinstance(fact, EFFECTS)]

    def end(self) -> None:
        """The batch is over."""
        self._work, self._pending = None, []

    def take(self, end: int | None) -> None:
        """What was folded takes effect; with an `end`, events before it that were not are given up."""
        work = self._work
        if work is None or not self._pending:
            return
        left = []
        for index in self._pending:
            if work.fate[index] == APPLIED:
                self._effect(work, index)
            elif work.fate[index] == 0 and (end is None or index >= end):
                left.append(index)
        self._pending = left

    def _effect(self, work: Work, index: int) -> None:
        fact, customer, at = work.batch.facts[index], int(work.who[index]), int(work.clocks[index])
        dated = int(work.batch.events["at"][index])
        if isinstance(fact, CustomerChurned):
            cause = CAUSES[work.batch.events["a"][index]]
            seen, voluntary = self._seen_before(customer, at), fact.voluntary is not False
            self._left(Leaver(customer, dated, seen, voluntary, cause), at)
        elif isinstance(fact, CustomerReturned):
            self._parts.model.returned(customer, dated)
        elif isinstance(fact, CareResolved):
            self._resolved(fact, customer, at)
        elif isinstance(fact, LineChanged) and fact.status == _TRANSFERRED and fact.product in _WHOLE_LINE:
            self._parts.model.transferred(customer, dated)
            self._gone(customer, at, StatusReason.RESOLVED)
            self._parts.partition.set_rules_due(customer, None)

    def _left(self, leaver: Leaver, at: int) -> None:
        parts, customer = self._parts, leaver.customer
        who = parts.evaluation.who(parts.names, rows=False)
        parts.model.churned(customer, leaver.at, leaver.voluntary)
        parts.decider.left(leaver, who)
        parts.shadow.decider.left(leaver, who)
        if leaver.voluntary:
            parts.watches.left(customer, at, int(parts.partition.customers.records["labels"][customer, L["region"]]))
        if parts.partition.customers.records["codes"][customer, C["churned"]] == 1:  # no later return stands
            self._gone(customer, at, StatusReason.CHURNED)
            parts.partition.stop_timers(customer)

    def _gone(self, customer: int, at: int, reason: StatusReason) -> None:
        parts = self._parts
        who = parts.evaluation.who(parts.names, rows=False)
        parts.decider.gone(customer, at, reason, parts.partition.customers.bits, who)
        parts.shadow.gone(customer, at, reason, who)

    def _resolved(self, fact: CareResolved, customer: int, at: int) -> None:
        parts = self._parts
        reason = _ENDS_EPISODE.get(fact.outcome)
        episode = parts.decider.episodes.get(customer)
        if reason is not None and episode is not None and episode.warning_id == fact.warning_id:
            parts.decider.close(customer, at, reason, parts.evaluation.who(parts.names, rows=False))
            parts.decider.spend(customer, parts.partition.customers.bits)
            parts.wake(customer)

    def _seen_before(self, customer: int, at: int) -> bool:
        """Whether the leaver had an event in the 90 days before this one."""
        record = self._parts.partition.customers.records[customer]["times"]
        return bool(at - int(record[T["seen_before"]]) <= ACTIVE_US)
