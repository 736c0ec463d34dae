"""`churn rules schema|features|explain|diff`: what rule authors look things up with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from detectors.catalogue import Feature
from engine.observing import ObservedEngine
from rules.comparing import differences
from rules.hints import did_you_mean, same_name
from rules.load import Configuration
from rules.ruleset import Rule
from rules.schema import FILES, schema_of_file
from sinks import terminal
from streams import bootstrap, given
from streams.commands.config import ConfigOption, rules
from streams.commands.feature_list import list_features
from streams.problems import UsageError, complain, guarded
from streams.replay import Job, replay
from streams.studies.distribution import distributions, short
from streams.studies.explaining import Explanation, on_trial, text_of

__all__ = ["rules"]

RulesOption = Annotated[
    Path | None,
    typer.Option(
        "--rules", metavar="PATH", help="Rules from here: a configuration folder, a folder of rules, or a file."
    ),
]
FormatOption = Annotated[str, typer.Option("--format", help="text or json.")]


@rules.command("schema")
@guarded
def rules_schema(
    kind: Annotated[str, typer.Option(help=f"Which file: {', '.join(FILES)}.")] = "rules", config: ConfigOption = None
) -> None:
    """Print the JSON Schema of a file of the configuration, for editors and CI."""
    if kind not in FILES:
        raise UsageError(f"--kind {kind}: {', '.join(FILES)}")
    names: dict[str, list[str]] = {}
    if kind == "rules":
        found = bootstrap.announced(bootstrap.config_folder(config), read=bootstrap.as_it_stands)
        names = {"tier": list(found.settings.tiers), "actions": sorted(found.actions), "evidence": sorted(found.schema)}
    typer.echo(msgspec.json.format(msgspec.json.encode(schema_of_file(kind, names))))


@rules.command("features")
@guarded
def rules_features(
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE...", help="Events to take values from.")] = None,
    config: ConfigOption = None,
    form: FormatOption = "text",
) -> None:
    """List the features that a rule may name; with files also how they are distributed at their end."""
    checked_format(form)
    found: dict[str, dict[str, Any]] = {}
    configuration = bootstrap.announced(bootstrap.config_folder(config), read=bootstrap.as_it_stands)
    features = bootstrap.features(configuration)
    if files:
        engine, end = over_files(files, configuration)
        found = distributions(engine, end)
    if form == "json":
        plain = [_plain(one) | ({"live": found[one.name]} if found else {}) for one in features]
        typer.echo(msgspec.json.format(msgspec.json.encode(plain)))
        return
    list_features(Console(), features, {name: short(one) for name, one in found.items()})


def _plain(one: Feature) -> dict[str, Any]:
    names = ("name", "kind", "unit", "window", "en", "zh", "causes", "values")
    return {name: getattr(one, name) for name in names}


@rules.command("explain")
@guarded
def rules_explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id; it may be switched off.")],
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Events.")],
    customer: Annotated[str, typer.Option("--customer", metavar="C", help="customer_id.")],
    config: ConfigOption = None,
    other: RulesOption = None,
    form: FormatOption = "text",
) -> None:
    """Show each clause of a rule for one customer over time, and when it would have fired."""
    checked_format(form)
    configuration = bootstrap.announced(bootstrap.config_folder(config), other, bootstrap.as_it_stands)
    one = named_rule(configuration, rule)
    explanation = Explanation(one, customer)
    engine, _ = over_files(files, on_trial(configuration, one), explanation.look)
    ids = engine.partition.ids
    if ids.find(customer) is None:
        known = [ids.text(int(one)) for one in engine.known()]
        where = f"no event of {', '.join(files)} names this customer, of {len(known):,} that they name"
        raise UsageError(f"--customer {customer}: {where}{same_name(customer, known)}")
    found = explanation.found(engine)
    if form == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        typer.echo("\n".join(text_of(found)))


@rules.command("diff")
@guarded
def rules_diff(
    old: Annotated[Path, typer.Argument(help="A configuration folder, a folder of rules, or a file.")],
    new: Annotated[Path, typer.Argument(help="The same.")],
    config: ConfigOption = None,
) -> None:
    """Say what differs between two rule sets, rule by rule. For what it changes in warnings: `churn rules backtest`."""
    folder = bootstrap.config_folder(config)
    before, after = (bootstrap.as_it_stands(folder, path).rules for path in (old, new))
    found = list(differences(before, after))
    typer.echo("\n".join(found) if found else "no difference")
    typer.echo(f"version {before.version} -> {after.version}")


def named_rule(configuration: Configuration, name: str) -> Rule:
    """A rule by its id, switched off or not; raises UsageError."""
    known = {one.id: one for one in (*configuration.rules.rules, *configuration.rules.switched_off)}
    if name in known:
        return known[name]
    meant = next((one.id for one in known.values() if one.alert.casefold() == name.casefold()), None)
    hint = did_you_mean(name, known) if meant is None else f"; that is the alert of `{meant}`"
    files = sorted({one.file for one in known.values()})
    where = str(Path(files[0]).parent) if len(files) > 1 else next(iter(files), "no file")
    raise UsageError(f"no rule `{name}` among the {len(known)} of {where}{hint}")


def checked_format(form: str) -> None:
    """Raises UsageError for a format that there is not."""
    if form not in {"text", "json"}:
        raise UsageError(f"--format {form}: text, json")


def over_files(files: list[str], configuration: Configuration, look: Any = None) -> tuple[ObservedEngine, int]:
    """Files through an engine whose rows `look` is shown; the engine, and the newest time (µs UTC)."""
    given.inputs(files)
    champion, _ = bootstrap.champion(configuration)
    engine = ObservedEngine(configuration, champion, look or (lambda *_: None))
    regular = [Path(file).stat().st_size for file in files if Path(file).is_file()]
    with terminal.progress_bar(Console(stderr=True), sum(regular) if len(regular) == len(files) else None) as watch:
        replay(Job(files), lambda _: engine, complain, watch)
    return engine, engine.partition.clock
