"""`churn rules tune`: thresholds from history."""

from __future__ import annotations

import datetime as dt
import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from events.times import rfc3339
from rules.load import Configuration
from rules.ruleset import Rule
from rules.tuning import Goal, Promise, Tried, grid, split_after, split_at
from rules.variants import NotWrittenError, numeric, patch, patched
from sinks import terminal
from sinks.named import named
from sinks.report.tuning import tuning_page
from streams import bootstrap, given
from streams.commands.backtest import page_language, rules, sampled
from streams.commands.config import ConfigOption
from streams.commands.rules import named_rule
from streams.problems import FINDINGS, UsageError, guarded
from streams.studies.tuning import Candidate, Choose, best_of_one, curve, expected, fires, tier_of_rules

__all__ = ["rules"]


@rules.command("tune")
@guarded
def rules_tune(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Events with outcomes.")],
    rule: Annotated[str | None, typer.Option(help="The rule whose parameter is chosen.")] = None,
    param: Annotated[str | None, typer.Option(help="The parameter; else the first that the condition uses.")] = None,
    tier: Annotated[str | None, typer.Option(help="Instead of a rule: all live rules of a tier together.")] = None,
    precision: Annotated[float | None, typer.Option(help="Least share of warnings that must be right.")] = None,
    cost_ratio: Annotated[
        float | None, typer.Option(help="Instead: how many warnings one leaver found is worth.")
    ] = None,
    capacity: Annotated[float | None, typer.Option(help="Most warnings a day.")] = None,
    low: Annotated[float | None, typer.Option("--from", help="Least value to try.")] = None,
    high: Annotated[float | None, typer.Option("--to", help="Greatest value to try.")] = None,
    steps: Annotated[int, typer.Option(min=2, max=40, help="How many values to try.")] = 9,
    split: Annotated[
        str, typer.Option(metavar="SHARE|DAY", help="Share of the time that values are chosen on, or its last day.")
    ] = "0.6",
    sample: Annotated[float, typer.Option(help="Look at this share of the customers.")] = 1.0,
    config: ConfigOption = None,
    model: Annotated[Path | None, typer.Option(help="Score with this saved model; else one learns on the way.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the curve here, as HTML.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the values into the rule files.")] = False,
    language: Annotated[str, typer.Option(help="Of the page: en or zh-CN.")] = "en",
) -> None:
    """Choose a parameter's value on the earlier part of the files, so that enough warnings are right and not too many come,
    and say how it did on the later part. Prints a patch of the rule file.
    """
    goal, share = goal_of(precision, cost_ratio, capacity), share_of(split)
    sampled(sample)
    page_language(language)
    given.inputs(files)
    given.model(model)
    given.outputs((out, as_json), files)
    configuration = bootstrap.announced(bootstrap.config_folder(config))
    wanted = candidates_of(configuration, rule, param, tier, (low, high, steps))
    regular = [Path(file).stat().st_size for file in files if Path(file).is_file()]
    with terminal.progress_bar(Console(stderr=True), sum(regular) if len(regular) == len(files) else None) as watch:
        trial, fired = fires(files, configuration, wanted, sample, model, watch)
    try:
        at = split_at(trial, share) if isinstance(share, float) else split_after(trial, share)
    except ValueError as error:
        raise UsageError(str(error)) from error
    curves = curve(trial, fired, at)
    choose: Choose = best_of_one if tier is None else tier_of_rules
    picked, best = choose(trial, fired, at, goal)
    promised = None
    if best is not None:
        promised = expected(trial, fired, at, goal, choose, picked, best)
    found = {
        "goal": {"precision": goal.precision, "cost_ratio": goal.cost_ratio, "capacity": goal.capacity},
        "period": {"from": rfc3339(trial.begin)[:10], "to": rfc3339(trial.end)[:10]},
        "split": rfc3339(at)[:10],
        "curves": [_plain(name, tried, picked) for name, tried in curves.items()],
        "chosen": None if best is None else _chosen(best, promised),
    }
    changes = patches(configuration, picked, write=write)
    if out is not None:
        with named(out):
            out.write_text(tuning_page(found, changes, language), encoding="utf-8")
    if as_json is not None:
        with named(as_json):
            as_json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    say(curves, picked, best, promised)
    typer.echo(changes, nl=False)
    if best is None:
        raise typer.Exit(FINDINGS)


def goal_of(precision: float | None, cost_ratio: float | None, capacity: float | None) -> Goal:
    """What is asked; raises UsageError for both or neither of the two."""
    if (precision is None) == (cost_ratio is None):
        raise UsageError("give --precision or --cost-ratio")
    if precision is not None and not 0 < precision < 1:
        raise UsageError(f"--precision {precision:g}: between 0 and 1")
    if cost_ratio is not None and not 1 < cost_ratio < math.inf:
        raise UsageError(f"--cost-ratio {cost_ratio:g}: a number, more than 1")
    if capacity is not None and not 0 < capacity < math.inf:
        raise UsageError(f"--capacity {capacity:g}: a number, more than 0")
    return Goal(precision, cost_ratio, capacity)


def share_of(split: str) -> float | dt.date:
    """A share of the time, or a day; raises UsageError."""
    try:
        return dt.date.fromisoformat(split)
    except ValueError:
        pass
    try:
        share = float(split)
    except ValueError as error:
        raise UsageError(f"--split {split}: a share, or a day as 2026-01-31") from error
    if not 0.1 <= share <= 0.9:
        raise UsageError(f"--split {split}: between 0.1 and 0.9")
    return share


def candidates_of(
    configuration: Configuration,
    rule: str | None,
    param: str | None,
    tier: str | None,
    bounds: tuple[float | None, float | None, int],
) -> list[Candidate]:
    """What is to be tried; raises UsageError."""
    if (rule is None) == (tier is None):
        raise UsageError("give --rule or --tier")
    for option, bound in zip(("--from", "--to"), bounds[:2], strict=True):
        if bound is not None and not math.isfinite(bound):
            raise UsageError(f"{option} {bound:g}: a number")
        if bound is not None and tier is not None:
            raise UsageError(f"{option} and --tier: each rule of a tier is tried around its own value")
    if tier is not None and param is not None:
        raise UsageError(
            "--param and --tier: of each rule of a tier the first parameter that its condition uses is tried"
        )
    if tier is not None:
        if tier not in configuration.settings.tiers:
            raise UsageError(f"--tier {tier}: {', '.join(configuration.settings.tiers)}")
        of_tier = [one for one in configuration.rules.rules if one.tier == tier and one.mode == "live" and numeric(one)]
        return [one for each in of_tier for one in _candidates(each, None, (None, None, bounds[2]))]
    return _candidates(named_rule(configuration, rule or ""), param, bounds)


def _candidates(rule: Rule, param: str | None, bounds: tuple[float | None, float | None, int]) -> list[Candidate]:
    known = numeric(rule)
    name = param or next(iter(known), "")
    if name not in known:
        raise UsageError(
            f"rule `{rule.id}` has no parameter `{name}` that is a number; there are {', '.join(known) or 'none'}"
        )
    return [Candidate(rule.id, name, value) for value in grid(known[name], *bounds)]


def _chosen(best: Tried, promised: Promise | None) -> dict[str, Any]:
    told = None if promised is None else promised._asdict() | {"kept": promised.kept(best.later)}
    return {"earlier": best.earlier.plain(), "later": best.later.plain(), "promised": told}


def _plain(name: tuple[str, str], tried: list[Tried], picked: Sequence[Candidate]) -> dict[str, Any]:
    best = next((one.value for one in picked if (one.rule, one.parameter) == name), None)
    rows = [{"value": one.value, "earlier": one.earlier.plain(), "later": one.later.plain()} for one in tried]
    return {"rule": name[0], "parameter": name[1], "chosen": best, "tried": rows}


def patches(configuration: Configuration, picked: Sequence[Candidate], *, write: bool) -> str:
    """The changes of the rule files, comments and all else kept; written if asked for."""
    found = []
    texts: dict[Path, tuple[str, str]] = {}
    for one in picked:
        rule = named_rule(configuration, one.rule)
        file = Path(rule.file)
        before, now = texts.get(file) or (text := _as_it_is(file), text)
        try:
            texts[file] = before, patched(rule, one.parameter, one.value, now)
        except NotWrittenError as error:
            found.append(f"# not written: {error}\n")
    for file, (before, after) in texts.items():
        found.append(patch(file, before, after))
        if write and before != after:
            with named(file):
                _replace(file, after)
    return "".join(found)


def _as_it_is(file: Path) -> str:
    """The text with the ends of lines that it has."""
    with file.open(encoding="utf-8", newline="") as raw:
        return raw.read()


def _replace(file: Path, text: str) -> None:
    """Put a text in a file's place in one step, where links lead to, with the permissions it has."""
    there = file.resolve()
    half = there.with_name(f".{there.name}.writing")  # no reader of rules takes it for a rule file
    try:
        half.write_bytes(text.encode())
        shutil.copymode(there, half)
        os.replace(half, there)  # noqa: PTH105
    finally:
        half.unlink(missing_ok=True)


def say(
    curves: dict[tuple[str, str], list[Tried]],
    picked: Sequence[Candidate],
    best: Tried | None,
    promised: Promise | None,
) -> None:
    """The curve and the choice in a few lines."""
    for (rule, parameter), tried in curves.items():
        typer.echo(f"{rule}: {parameter}    earlier: a day, right    later: a day, right")
        for one in tried:
            mark = "*" if Candidate(rule, parameter, one.value) in picked else " "
            typer.echo(f"{mark} {one.value:>10g}  " + "    ".join(_shown(part) for part in (one.earlier, one.later)))
    if best is None:
        typer.echo("no value keeps to the goal in the earlier part")
        return
    if promised is not None:
        kept = {True: "so it did", False: "it did not", None: "nothing to tell by"}[promised.kept(best.later)]
        typer.echo(
            f"the earlier part promised for the later {promised.precision:.0%} right, "
            f"{promised.low:.0%} to {promised.high:.0%}: {kept}"
        )
    interval = best.later.interval
    expected_now = (
        "nothing matured in the later part" if interval is None else f"{interval[0]:.0%} to {interval[1]:.0%} (95 %)"
    )
    typer.echo(f"chosen on the earlier part; on the later {_shown(best.later)}, precision {expected_now}")


def _shown(part: Any) -> str:
    right = "    –" if part.precision is None else f"{part.precision:>5.0%}"
    return f"{part.a_day:>8.2f} {right} ({part.churned}/{part.matured})"
