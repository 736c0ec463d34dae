"""A decision written out: cause, reasons, actions, queue and deadlines, as the contract shapes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from detectors.catalogue import Feature
from events.times import rfc3339
from rules.causes import cause_of
from rules.early_warning import EarlyWarning, EpisodeStatus, ProposedAction, RuleHit, StatusReason
from rules.episodes import Episode
from rules.formats import Style
from rules.load import Configuration
from rules.policy import Limit, permitted
from rules.reasons import LANGUAGES, reasons, rounded
from rules.ruleset import Rule
from rules.views import UNKNOWN_CAUSE, View, Who

_OPEN: Final = (EpisodeStatus.RAISED, EpisodeStatus.ELEVATED)


class Writer:
    """Writes decisions; `versions` is engine, rules and model, the last being set as models are swapped."""

    def __init__(self, configuration: Configuration, features: Mapping[str, Feature], engine_version: str) -> None:
        self._configuration = configuration
        self._features = features
        settings = configuration.settings
        self._styles = {name: Style(name, settings.currency, int(settings.utc_offset)) for name in LANGUAGES}
        self.versions = {"engine": engine_version, "rules": configuration.rules.version, "model": "none"}
        self.decided_at = ""

    def decision(
        self,
        episode: Episode,
        rules: Sequence[Rule],
        status: EpisodeStatus,
        reason: StatusReason | None,
        customer: int,
        at: int,
        who: Who,
        row: int | None,
    ) -> EarlyWarning:
        """One decision on an episode; cause, queue and deadlines are settled when it is raised or elevated."""
        view = who.view(row)
        value_class, lifecycle = text_of(view, "value_class"), text_of(view, "lifecycle")
        if status in _OPEN and view is not None:
            episode.cause = cause_of(rules, view, self._features)
            episode.actions = self._actions(rules, episode, view)
            self._deadlines(episode, rules, at, value_class)
        tier = self._configuration.settings.tiers[episode.tier_rank]
        risk = rounded(view.value("risk")) if view is not None else None
        return EarlyWarning(
            warning_id=episode.warning_id,
            revision=episode.revision,
            status=status,
            status_reason=reason,
            customer_id=who.customer_id(customer),
            account_id=who.account_id(customer),
            raised_at=rfc3339(at),
            decided_at=self.decided_at,
            tier=tier,
            risk=risk if isinstance(risk, float) else None,
            horizon_days=self._configuration.settings.horizon_days,
            cause=episode.cause or UNKNOWN_CAUSE,
            rules=tuple(RuleHit(rule.id, rule.tier) for rule in rules),
            reasons=reasons(rules, view, self._features, episode.cause, self._styles) if view is not None else (),
            actions=self._proposed(episode.actions) if status in _OPEN else (),
            value_class=value_class,
            lifecycle=lifecycle,
            queue=episode.queue,
            ack_by=None if episode.ack_by is None else rfc3339(episode.ack_by),
            resolve_by=None if episode.resolve_by is None else rfc3339(episode.resolve_by),
            held_out=episode.held_out,
            versions=dict(self.versions),
        )

    def _deadlines(self, episode: Episode, rules: Sequence[Rule], at: int, value_class: str | None) -> None:
        """Queue and deadlines: the leading rule's own, else those of tier and value class."""
        settings, lead = self._configuration.settings, rules[0]
        episode.queue = lead.queue or settings.queue(value_class)
        tier = settings.deadlines[settings.tiers[episode.tier_rank]]
        deadline = tier.of(value_class)

        def by(span: int) -> int:
            return at + span if tier.clock == "always" else self._configuration.calendar.add(at, span)

        episode.ack_by = by(lead.ack_within if lead.ack_within is not None else int(deadline.ack))
        episode.resolve_by = by(lead.resolve_within if lead.resolve_within is not None else int(deadline.resolve))

    def _actions(self, rules: Sequence[Rule], episode: Episode, view: View) -> tuple[str, ...]:
        """The leading rule's own actions, else those that follow from the cause at this tier, as far as policy allows."""
        codes = rules[0].actions if rules and rules[0].actions is not None else None
        if codes is None:
            tier = self._configuration.settings.tiers[episode.tier_rank]
            codes = self._configuration.actions_for(episode.cause or UNKNOWN_CAUSE, tier)
        limits = self._configuration.policy.in_force(view.holds)
        return permitted(codes, limits, self._configuration.actions)

    def forbidden(self, episode: Episode, view: View) -> bool:
        """Whether policy now forbids an action that the episode's newest decision proposed.

        One that the configuration no longer has (rules are reloaded) has no tags to be judged by: it is not taken for allowed.
        """
        return self._breaks(episode, self._configuration.policy.in_force(view.holds))

    def ever_forbidden(self, episode: Episode) -> bool:
        """Whether any limit, in force or not, forbids one of those actions: most need no further look."""
        return self._breaks(episode, self._configuration.policy.limits)

    def _breaks(self, episode: Episode, limits: Sequence[Limit]) -> bool:
        actions = self._configuration.actions
        return any(
            code not in actions or not limit.allows(actions[code]) for limit in limits for code in episode.actions
        )

    def _proposed(self, codes: Sequence[str]) -> tuple[ProposedAction, ...]:
        found = [(code, self._configuration.actions[code]) for code in codes]
        return tuple(
            ProposedAction(code, {"en": action.text.en, "zh-CN": action.text.zh_cn}, action.cost, action.needs_approval)
            for code, action in found
        )


def text_of(view: View | None, feature: str) -> str | None:
    """A category's text; None where it is not known."""
    value = None if view is None else view.value(feature)
    return value if isinstance(value, str) else None
