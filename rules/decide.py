"""From rows to decisions: what changes for the rules raises, elevates, clears and closes episodes.

One open episode per customer. Rows come in the order of each customer's events and timers; everything is dated with the
row's time. `decided_at`, the wall clock, is passed through and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from rules import bits
from rules.carryover import Carried, bits_now, checked_tiers, held_up_now, places, timers_now
from rules.early_warning import EarlyWarning, EpisodeStatus, StatusReason
from rules.episodes import Episode, held_out, warning_id
from rules.load import Configuration
from rules.outcomes import EpisodeLog, Leaver
from rules.renewal import Renewal
from rules.rulefile import Mode
from rules.ruleset import Rule
from rules.timers import EPISODE, LIFE, RuleTimers, Timer
from rules.views import Who
from rules.writing import Writer, text_of

DAY_US: Final = 86_400_000_000
EPISODE_LIFE_US: Final = 90 * DAY_US
LONGEST_HOLD_US: Final = 21_600_000_000  # rows of one customer further apart than this never share a round

Words = npt.NDArray[np.uint64]


class Verdict(Protocol):
    """What was found of rows: bits of rules whose conditions hold, u8[row, words], and two flags for each row."""

    @property
    def fire(self) -> Words: ...
    @property
    def clear(self) -> Words: ...
    @property
    def asleep(self) -> npt.NDArray[np.bool_]: ...  # the line is suspended
    @property
    def bound(self) -> npt.NDArray[np.bool_]: ...  # a limit of the policy is in force


class Decider:
    """Holds the episodes and the rules' timers of a partition's customers, for the rules of one mode."""

    def __init__(self, configuration: Configuration, writer: Writer, mode: Mode = "live") -> None:
        self.configuration = configuration
        self.rules: tuple[Rule, ...] = tuple(rule for rule in configuration.rules.rules if rule.mode == mode)
        self.timers = RuleTimers()
        self.episodes: dict[int, Episode] = {}
        self.log = EpisodeLog(configuration.settings.tiers)
        self.words = len(bits.words_of([False] * len(self.rules)))
        self._writer = writer
        self._traits = bits.Traits(
            bits.words_of([rule.hold_for > 0 for rule in self.rules]),
            bits.words_of([rule.keep_firing_for > 0 for rule in self.rules]),
            bits.words_of([rule.cooldown > 0 for rule in self.rules]),
        )
        self._room = bits.room_for_changes(4096, len(self.rules))
        self.renewal = Renewal(self.rules, configuration.settings.signals)
        self._held = bits.words_of([rule.held for rule in self.rules])
        self._out: list[EarlyWarning] = []
        self.fired_today: dict[
            int, set[int]
        ] = {}  # by rule, the customers for whom it joined an episode since midnight

    @property
    def least_hold(self) -> int:
        """No timer of the rules is shorter than this (µs)."""
        spans = [span for rule in self.rules for span in (rule.hold_for, rule.keep_firing_for, rule.cooldown) if span]
        return min([LONGEST_HOLD_US, *spans])

    def take(self) -> list[EarlyWarning]:
        """The decisions since the last call."""
        out, self._out = self._out, []
        return out

    def decide(
        self,
        customers: npt.NDArray[np.int32],
        now: npt.NDArray[np.int64],
        asked: npt.NDArray[np.bool_],
        verdict: Verdict,
        state: Words,
        renewing: Words,
        who: Who,
        explained: npt.NDArray[np.bool_] | None = None,
    ) -> set[int]:
        """Decide on rows. `asked`: a timer of the rules is over. `state` holds the rule bits of all customers.

        `renewing` are the rules that each row's fact makes ready again, shape (rows, words).
        `explained`: an incident of the customer's cell explains what use and network look like, so rules that speak of
        those are held: they count as not true.

        Returns the customers whose next timer of the rules may have changed.
        """
        over = self._over(customers, now, asked, state)
        if explained is not None:
            verdict.fire[: len(customers)][explained] &= ~self._held
        changed = self._changes(verdict, customers, state, renewing)
        bound, obeyed = set(np.flatnonzero(verdict.bound[: len(customers)]).tolist()), set[int]()
        for row in sorted(changed.keys() | over.keys() | bound):
            customer, at = int(customers[row]), int(now[row])
            if row not in changed and row not in over and customer not in self.episodes:
                continue
            fired = [rule for rule, what in changed.get(row, ()) if what == bits.FIRED]
            cleared = [rule for rule, what in changed.get(row, ()) if what == bits.CLEARED]
            self._set_timers(customer, at, changed.get(row, ()))
            expired = False
            for timer in over.get(row, ()):
                if timer.kind == bits.PENDING and self._clear(state, customer, bits.PENDING, timer.rule):
                    state[customer, timer.rule // 64] |= np.uint64(1 << timer.rule % 64)
                    fired.append(timer.rule)
                elif timer.kind == bits.EBBING and self._clear(state, customer, bits.EBBING, timer.rule):
                    self._clear(state, customer, bits.ACTIVE, timer.rule)
                    self._clear(state, customer, bits.PENDING, timer.rule)  # it may be spent
                    self._cool(state, customer, at, timer.rule)
                    cleared.append(timer.rule)
                expired = expired or timer.kind == LIFE
            self._episode(customer, at, fired, cleared, row, who, asleep=bool(verdict.asleep[row]))
            if expired:
                self.close(customer, at, StatusReason.EXPIRED, who)
                self.spend(customer, state)
            if row in bound and self._obey(customer, at, row, who):
                obeyed.add(row)
        return {int(customers[row]) for row in changed.keys() | over.keys() | obeyed}

    def _obey(self, customer: int, at: int, row: int, who: Who) -> bool:
        """Where policy has come to forbid what an open episode proposes, it ends, and its rules raise one that obeys."""
        episode = self.episodes.get(customer)
        if episode is None or not self._writer.ever_forbidden(episode):
            return False
        view = who.view(row)
        if view is None or not self._writer.forbidden(episode, view):
            return False
        self.close(customer, at, StatusReason.POLICY, who)
        self._raise_or_elevate(customer, at, list(episode.rules), row, who, after=episode.warning_id)
        return True

    def _over(
        self, customers: npt.NDArray[np.int32], now: npt.NDArray[np.int64], asked: npt.NDArray[np.bool_], state: Words
    ) -> dict[int, list[Timer]]:
        """The timers that are over, by row; cooldowns end before the row's conditions are looked at."""
        over = {}
        for row in np.flatnonzero(asked).tolist():
            timers = self.timers.due(int(customers[row]), int(now[row]))
            for timer in timers:
                if timer.kind == bits.COOLING:
                    self._clear(state, int(customers[row]), bits.COOLING, timer.rule)
            if timers:
                over[row] = timers
        return over

    def _changes(
        self, verdict: Verdict, customers: npt.NDArray[np.int32], state: Words, renewing: Words
    ) -> dict[int, list[tuple[int, int]]]:
        """Per row that changes something, the (rule, what) that changed."""
        found: dict[int, list[tuple[int, int]]] = {}
        first, count = 0, len(customers)
        while first < count:
            first, many = bits.settle(
                state, customers, verdict.fire, verdict.clear, renewing, verdict.asleep, self._traits, first, self._room
            )
            columns_of = (self._room.row[:many], self._room.rule[:many], self._room.what[:many])
            for row, rule, what in zip(*(column.tolist() for column in columns_of), strict=True):
                found.setdefault(row, []).append((rule, what))
        return found

    def _clear(self, state: Words, customer: int, plane: int, rule: int) -> bool:
        """Take a bit away; whether it was there."""
        word, bit = plane * self.words + rule // 64, np.uint64(1 << rule % 64)
        was = bool(state[customer, word] & bit)
        state[customer, word] &= ~bit
        return was

    def _cool(self, state: Words, customer: int, at: int, rule: int) -> None:
        if self.rules[rule].cooldown:
            state[customer, bits.COOLING * self.words + rule // 64] |= np.uint64(1 << rule % 64)
            self.timers.set(customer, rule, bits.COOLING, at + self.rules[rule].cooldown)

    def _set_timers(self, customer: int, at: int, changes: list[tuple[int, int]] | tuple[()]) -> None:
        for k, what in changes:
            rule = self.rules[k]
            if what == bits.PENDED:
                self.timers.set(customer, k, bits.PENDING, at + rule.hold_for)
            elif what == bits.UNPENDED:
                self.timers.drop(customer, k, bits.PENDING)
            elif what == bits.EBBED:
                self.timers.set(customer, k, bits.EBBING, at + rule.keep_firing_for)
            elif what == bits.UNEBBED:
                self.timers.drop(customer, k, bits.EBBING)
            elif what == bits.CLEARED:
                self.timers.drop(customer, k, bits.EBBING)
                if rule.cooldown:
                    self.timers.set(customer, k, bits.COOLING, at + rule.cooldown)

    def _episode(
        self, customer: int, at: int, fired: list[int], cleared: list[int], row: int, who: Who, *, asleep: bool
    ) -> None:
        if fired:
            self._raise_or_elevate(customer, at, fired, row, who)
        episode = self.episodes.get(customer)
        if episode is None or not cleared:
            return
        for k in cleared:
            episode.rules.pop(k, None)
        if not episode.rules:
            reason = StatusReason.SUSPENDED if asleep else StatusReason.RISK_FELL
            self._end(customer, at, EpisodeStatus.CLEARED, reason, who, row)

    def _raise_or_elevate(self, customer: int, at: int, fired: list[int], row: int, who: Who, after: str = "") -> None:
        rank = max(self.rules[k].tier_rank for k in fired)
        episode = self.episodes.get(customer)
        if episode is None:
            lead = min(k for k in fired if self.rules[k].tier_rank == rank)
            name, settings = who.customer_id(customer), self.configuration.settings
            tier = self.rules[lead].tier
            out = held_out(who.account_id(customer) or name, tier, settings.hold_out_share(tier))
            again = self.log.begun(customer, at)  # facts that come late leave the clock where it is
            opened = warning_id(name, at, self.rules[lead].id + after + (f"#{again}" if again else ""))
            episode = Episode(opened, at, rank, "", out, dict.fromkeys(fired, at))
            self.episodes[customer] = episode
            self.log.raised(customer, rank, at, out)
            self.timers.set(customer, EPISODE, LIFE, at + EPISODE_LIFE_US)
            status = EpisodeStatus.RAISED
        else:
            episode.rules.update(dict.fromkeys((k for k in fired if k not in episode.rules), at))
            status = EpisodeStatus.ELEVATED
        for k in fired:
            self.log.fired(customer, self.rules[k].id, at)
            self.fired_today.setdefault(k, set()).add(customer)
        if status is EpisodeStatus.ELEVATED:
            if rank <= episode.tier_rank:
                return
            episode.tier_rank = rank
            episode.revision += 1
            self.log.reached(customer, rank, at)
        said = self._writer.decision(episode, self._holding(episode), status, None, customer, at, who, row)
        self.log.described(customer, said.cause, said.value_class, text_of(who.view(row), "region"), said.queue)
        self._out.append(said)

    def _holding(self, episode: Episode) -> list[Rule]:
        """The rules that hold the episode up, strongest first."""
        return sorted((self.rules[k] for k in episode.rules), key=lambda rule: (-rule.tier_rank, rule.id))

    def _end(
        self, customer: int, at: int, status: EpisodeStatus, reason: StatusReason, who: Who, row: int | None
    ) -> None:
        episode = self.episodes.pop(customer)
        episode.revision += 1
        self.timers.drop(customer, EPISODE, LIFE)
        self.log.ended(customer, at, reason.value)
        held = self._holding(episode)
        self._out.append(self._writer.decision(episode, held, status, reason, customer, at, who, row))

    def close(self, customer: int, at: int, reason: StatusReason, who: Who) -> None:
        """End the customer's episode, if one is open; its rules stay as they are, and do not raise it again at once."""
        if customer in self.episodes:
            self._end(customer, at, EpisodeStatus.CLOSED, reason, who, None)

    def spend(self, customer: int, state: Words) -> None:
        """What the customer's active rules rest on is dealt with: only a fresh fact makes them fire again."""
        s, words = state[customer], self.words
        s[bits.PENDING * words : (bits.PENDING + 1) * words] |= s[:words]

    def gone(self, customer: int, at: int, reason: StatusReason, state: Words, who: Who) -> None:
        """The customer left, or is another person now: the episode is closed and nothing is waited for."""
        self.close(customer, at, reason, who)
        state[customer] = 0
        self.timers.forget(customer)

    def left(self, leaver: Leaver, who: Who) -> None:
        """A leaver, for the report; which hold-outs they belong to is added."""
        name, settings = (
            who.account_id(leaver.customer) or who.customer_id(leaver.customer),
            self.configuration.settings,
        )
        lots = sum(held_out(name, tier, settings.hold_out_share(tier)) << k for k, tier in enumerate(settings.tiers))
        self.log.left(leaver._replace(lots=lots))

    def tier_of(self, customer: int) -> str | None:
        """The tier of the open episode."""
        episode = self.episodes.get(customer)
        return None if episode is None else self.configuration.settings.tiers[episode.tier_rank]

    def snapshot(self) -> dict[str, npt.NDArray[np.generic] | bytes]:
        """Timers, episodes, the log, and which bit was which rule."""
        ids, tiers = [rule.id for rule in self.rules], self.configuration.settings.tiers
        return {
            "timers": self.timers.snapshot(),
            "state": msgspec.json.encode([ids, list(self.episodes.items()), self.log.snapshot(), tiers]),
        }

    def restore(self, parts: Mapping[str, Any], state: Words) -> Carried:
        """Take over a snapshot, of other rules too; `state` are the rule bits that came with it.

        An episode that only rules hold up which are gone ends by `close_removed`. Raises ValueError for other tiers.
        """
        ids, episodes, log, tiers = msgspec.json.decode(bytes(parts["state"]))
        checked_tiers(tiers, self.configuration.settings.tiers)
        open_now = {int(customer): msgspec.convert(one, Episode, strict=False) for customer, one in episodes}
        self.log.restore(log)
        return self._carry(ids, np.asarray(parts["timers"], np.int64), open_now, state)

    def take_over(self, other: Decider, state: Words) -> Carried:
        """Go on where another left, whose rules may be others; as `restore`, without writing anything down."""
        checked_tiers(other.configuration.settings.tiers, self.configuration.settings.tiers)
        open_now = {customer: msgspec.structs.replace(one) for customer, one in other.episodes.items()}
        self.log, self._out = other.log, other._out
        then, now = [rule.id for rule in other.rules], {rule.id: k for k, rule in enumerate(self.rules)}
        fired = {then[k]: customers for k, customers in other.fired_today.items()}
        self.fired_today = {now[name]: set(customers) for name, customers in fired.items() if name in now}
        return self._carry(then, other.timers.snapshot(), open_now, state)

    def _carry(
        self, then: list[str], timers: npt.NDArray[np.int64], episodes: dict[int, Episode], state: Words
    ) -> Carried:
        now = [rule.id for rule in self.rules]
        moves = places(then, now)
        kept, changed = timers_now(timers, moves)
        self.timers.restore(kept)
        self.episodes = episodes
        for episode in episodes.values():
            episode.rules = held_up_now(episode.rules, moves)
        return Carried(state if then == now else bits_now(state, moves, len(now)), changed)

    def close_removed(self, at: int, who: Who) -> list[int]:
        """Close the episodes that no rule holds up any more, after a restore; returns their customers."""
        found = [customer for customer, episode in self.episodes.items() if not episode.rules]
        for customer in found:
            self.close(customer, at, StatusReason.RULE_REMOVED, who)
        return found
