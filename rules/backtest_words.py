"""The figures of a backtest for a terminal: tiers, queues, the rules that did most, who flips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rules import gaps

MOST_RULES: Final = 10
"""So many rules are told of one by one, those with most warnings first; the page and the JSON have all."""
_SIDES: Final = (("only_new", "only by the new"), ("only_old", "only by the old"), ("both", "by both"))


def in_words(found: Mapping[str, Any]) -> Sequence[str]:
    """Lines of the figures that `backtesting.findings` gives."""
    period, share = found["period"], found["share"]
    of = "" if share >= 1 else f", a sample of {share:.1%} scaled up"
    what = "daily rows" if "grain" in found else "events"
    customers = f"{found['customers']['count']:,} customers{of}"
    lines = [f"{found['events']:,} {what} of {customers}, {period['from']} to {period['to']}"]
    for which in ("new", "old") if "old" in found else ("new",):
        one = found[which]
        lines.append(f"{which if 'old' in found else 'rules'} (version {one['version']})")
        for tier, figure in one["by_tier"].items():
            lines.append(f"  {tier}: {_count(figure['episodes'])} episodes, {figure['per_day']:g} a day{_good(figure)}")
        lines += _queues(one["by_queue"])
        lines += _rules(one)
    for tier, flip in found.get("flips", {}).items():
        lines.append(f"warned of at {tier} or above: {_flip(flip)}")
    lines += _rule_flips(found.get("rule_flips", {}))
    lines += _too_early(found)
    return [*lines, *_grain(found["grain"])] if "grain" in found else lines


def most_first(by_rule: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Ids of rules, those in most warnings first."""
    return sorted(by_rule, key=lambda rule: (-by_rule[rule]["episodes"]["count"], rule))


def _queues(by_queue: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for queue, load in by_queue.items():
        room = ""
        if load["capacity"] is not None:
            room = f", {load['load']:.0%} of capacity, {load['days_over']} days over it"
        yield f"  queue {queue}: {load['per_day']:g} a day, {load['busiest_day']:g} on {load['busiest_on']}{room}"


def _rules(one: Mapping[str, Any]) -> Iterable[str]:
    by_rule = one["by_rule"]
    fired = [rule for rule in most_first(by_rule) if by_rule[rule]["episodes"]["count"]]
    for rule in fired[:MOST_RULES]:
        figure = by_rule[rule]
        yield (
            f"  rule {rule} ({figure['tier']}): in {_count(figure['episodes'])} episodes of "
            f"{_count(figure['customers'])} customers, alone in {figure['alone']:,}{_good(figure)}"
        )
    if more := fired[MOST_RULES:]:
        yield f"  and {len(more)} more rules with fewer (--out and --json have all): {_some(more)}"
    if idle := sorted(by_rule.keys() - set(fired)):
        yield f"  never fired: {_some(idle)}"
    for rule, why in one["held"].items():
        yield f"  the guard stops counting rule {rule} at {why}"
    if one["aside"]:
        yield f"  not live, so not counted here: {_some([f'{rule} ({mode})' for rule, mode in one['aside'].items()])}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_RULES
    return ", ".join(names[:MOST_RULES]) + (f" and {more} more" if more > 0 else "")


def _flip(flip: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{_count(flip[key]['customers'])} {said}" for key, said in _SIDES)


def _rule_flips(flips: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    def changed(rule: str) -> int:
        return sum(int(flips[rule][key]["customers"]["count"]) for key in ("only_new", "only_old"))

    moved = sorted((rule for rule in flips if changed(rule)), key=lambda rule: (-changed(rule), rule))
    yield from (f"customers of rule {rule}: {_flip(flips[rule])}" for rule in moved[:MOST_RULES])
    if more := moved[MOST_RULES:]:
        yield f"of {len(more)} more rules other customers: {_some(more)}"


def _too_early(found: Mapping[str, Any]) -> Iterable[str]:
    """What the words mean, where they were used."""
    sets = [found[which] for which in ("new", "old") if which in found]
    figures = [one for each in sets for part in ("by_tier", "by_rule") for one in each[part].values()]
    if any(one.get("too_early") for one in figures):
        yield (
            f"too early to judge: raised in the last {found['horizon_days']} days, so that the horizon is not over; of them only "
            "those count whose customers have left, and a precision with them is too high"
        )


def _grain(grain: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """What daily rows cannot tell."""
    yield from gaps.in_words(grain["gaps"])
    yield "each customer is looked at once, at the end of each day: what comes and goes within a day is not seen"
    if grain["finer"]:
        yield "need more than a day's grain:"
    yield from (f"  {rule}: {line}" for rule, lines in grain["finer"].items() for line in lines)
    yield from (f"  {rule}: not in the rows: {' '.join(names)}" for rule, names in grain["unrecorded"].items())


def _count(one: Mapping[str, float]) -> str:
    return f"{one['count']:,}" if one["low"] == one["high"] else f"{one['count']:,} ({one['low']:,} to {one['high']:,})"


def _good(figure: Mapping[str, Any]) -> str:
    if figure.get("precision") is None:
        early = figure.get("too_early")
        return f", no precision: {early:,} too early to judge" if early else ""
    if not figure["horizons_over"]:
        return f", {figure['churned']:,} of their customers left so far: too early for a precision, no horizon is over"
    low, high = figure["precision_interval"]
    recall = "" if figure["recall"] is None else f", recall {figure['recall']:.0%}"
    lead = "" if figure["median_lead_days"] is None else f", median lead {figure['median_lead_days']:.1f} days"
    early = f", {figure['too_early']:,} too early to judge" if figure["too_early"] else ""
    without = figure["precision_over"]
    if early and without not in (None, figure["precision"]):
        early += f" (precision without them {without:.0%})"
    told = f"precision {figure['precision']:.0%} of {figure['matured']:,} matured ({low:.0%} to {high:.0%})"
    return f", {told}{recall}{lead}{early}"
