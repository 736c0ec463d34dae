"""Findings about names that stand once: tiers to which nothing raises, queues that nothing else names, parameters nobody uses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from rules.documents import Document, Path
from rules.faults import Fault
from rules.hints import did_you_mean
from rules.load import Configuration, Reading
from rules.ruleset import Rule
from rules.texts import Slot

_PARAMETER: Final = re.compile(r"\bparams\s*\.\s*([a-z][a-z0-9_]*)")


def unused(reading: Reading, configuration: Configuration) -> Iterator[Fault]:
    """Warnings, each with its place."""
    yield from _tiers(reading, configuration)
    yield from _capacities(reading, configuration)
    yield from _routes(reading, configuration)
    yield from _parameters(reading, configuration)


def _tiers(reading: Reading, configuration: Configuration) -> Iterator[Fault]:
    used = {rule.tier for rule in configuration.rules.rules}
    for i, tier in enumerate(configuration.settings.tiers):
        if tier not in used:
            message = f"no rule that is on raises to the tier `{tier}`"
            yield reading.settings_document.warning(("tiers", i), message, "unused-tier")


def _capacities(reading: Reading, configuration: Configuration) -> Iterator[Fault]:
    """What a team can handle of a queue to which nothing goes."""
    used = {*configuration.settings.routing.values(), *(rule.queue for rule in configuration.rules.rules)}
    for queue in configuration.settings.capacity:
        if queue not in used:
            message = f"nothing goes to the queue `{queue}`{did_you_mean(queue, [one for one in used if one])}"
            yield reading.settings_document.warning(("capacity", queue), message, "unused-queue", key=True)


def _routes(reading: Reading, configuration: Configuration) -> Iterator[Fault]:
    """Rules that send to a queue of which nothing else speaks: nobody may ever look into it."""
    settings, rules = configuration.settings, _all(configuration)
    declared = {*settings.routing.values(), *settings.capacity}
    named = Counter(rule.queue for rule in rules if rule.queue)
    for rule in rules:
        if rule.queue and rule.queue not in declared and named[rule.queue] == 1:
            document, path = reading.places[rule.id]
            hint = did_you_mean(rule.queue, sorted(declared | named.keys() - {rule.queue}))
            message = f"rule `{rule.id}`: neither churn.yaml nor another rule names the queue `{rule.queue}`{hint}"
            yield document.warning((*path, "route", "queue"), message, "unknown-queue")


def _parameters(reading: Reading, configuration: Configuration) -> Iterator[Fault]:
    """Those of a rule that it does not use, and those of a group that none of its rules does."""
    groups: dict[str, tuple[Document, Path, set[str]]] = {}
    for rule in _all(configuration):
        document, path = reading.places[rule.id]
        own, used = document.keys((*path, "params")), _named(rule)
        shared = used.difference(own)
        groups.setdefault(rule.group, (document, path[:2], set()))[2].update(shared)
        for name in own:
            if name not in used:
                message = f"rule `{rule.id}`: no condition and no text uses the parameter `{name}`"
                message += did_you_mean(name, sorted(shared))
                yield document.warning((*path, "params", name), message, "unused-parameter", key=True)
    for group, (document, path, used) in groups.items():
        for name in document.keys((*path, "params")):
            if name not in used:
                message = f"group `{group}`: no rule uses the group's parameter `{name}`"
                yield document.warning((*path, "params", name), message, "unused-parameter", key=True)


def _named(rule: Rule) -> set[str]:
    """The parameters that a rule's conditions and texts name."""
    conditions = (rule.expr, rule.clear, *(one.expr for one in rule.exceptions))
    slots = (part.name for one in rule.text.templates.values() for part in one.parts if isinstance(part, Slot))
    return {name for text in (*(one.text for one in conditions), *slots) for name in _PARAMETER.findall(text)}


def _all(configuration: Configuration) -> tuple[Rule, ...]:
    return *configuration.rules.rules, *configuration.rules.switched_off
