"""The one place that wires: configuration, feature catalogue, model and state into an engine.

Models and engine are imported by who first needs them: River takes a second, in which a worker that starts joins its group.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from detectors.catalogue import Feature
from detectors.features import FEATURES
from detectors.registry import DETECTORS
from models.settings import LearningSettings
from models.storage import ModelFileError
from rules.check import accepted
from rules.environment import overridden
from rules.faults import ConfigurationError, render
from rules.feature_types import Schema
from rules.ledger import Ledger
from rules.load import Configuration, load
from rules.signals import features_of
from rules.vocabulary import schema_of
from streams.problems import UsageError, complain

if TYPE_CHECKING:
    from engine.engine import Engine
    from models.champion import Champion

MARK = "churn.yaml"
"""The file that makes a folder a configuration."""


def config_folder(asked_for: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """`--config`, else CHURN_CONFIG, else the folder that came with the program; raises UsageError."""
    chosen = asked_for or (Path(environment["CHURN_CONFIG"]) if environment.get("CHURN_CONFIG") else None)
    if chosen is not None:
        if not chosen.is_dir():
            raise UsageError(f"{chosen}: no such folder")
        return chosen
    return packaged_folder()


def packaged_folder() -> Path:
    """The configuration that came with the program; raises UsageError."""
    tree = Path(__file__).resolve().parent.parent / "config"
    installed = Path(sys.prefix) / "share" / "churn-early-warning" / "config"
    for folder in (tree, installed):
        if (folder / MARK).is_file():
            return folder
    raise UsageError(f"no configuration found; give --config or CHURN_CONFIG (looked in {tree} and {installed})")


def schema() -> Schema:
    """What rules may name."""
    return schema_of(FEATURES, DETECTORS)


def features(configuration: Configuration) -> tuple[Feature, ...]:
    """The catalogue, and the signals that the operator declared."""
    return (*FEATURES, *features_of(configuration.settings.signals))


def configuration(folder: Path, rules: Path | None = None) -> Configuration:
    """The folder's configuration with the environment's overrides, and other rules if asked for, to be taken up.

    Raises ConfigurationError for all that `churn config check` calls an error, UsageError where there are no such rules.
    """
    return accepted(folder, schema(), os.environ, _present(rules))


def as_it_stands(folder: Path, rules: Path | None = None) -> Configuration:
    """The same to look something up in, or where it was taken up already, maybe by a version that found less.

    Raises ConfigurationError where it cannot be worked by at all, UsageError where there are no such rules.
    """
    return load(folder, schema(), os.environ, _present(rules))


def _present(rules: Path | None) -> Path | None:
    if rules is not None and not rules.exists():
        raise UsageError(f"{rules}: no such file or folder")
    return rules


def announced(
    folder: Path, rules: Path | None = None, read: Callable[[Path, Path | None], Configuration] = configuration
) -> Configuration:
    """The configuration that a command works by, its warnings (a misspelt override) said on standard error."""
    found = read(folder, rules)
    _, warnings = overridden(found.settings, os.environ)
    if warnings:
        complain(render(warnings))
    return found


def rehearsable(folder: Path) -> Configuration:
    """What a worker tries engines with while it joins its group: the folder's, announced, else the packaged configuration.

    A folder with faults is judged once it is known whether there are rules in force, which a worker goes by without it.
    """
    try:
        return announced(folder, read=as_it_stands)
    except ConfigurationError:
        return load(packaged_folder(), schema())


def champion(configuration: Configuration, saved: bytes | None = None) -> tuple[Champion, list[str]]:
    """A model that learns, or a saved one that only scores and the features it knows that this catalogue lacks.

    Raises ModelFileError.
    """
    from engine.model_inputs import ATTRIBUTE, model_inputs  # noqa: PLC0415
    from models.champion import Champion  # noqa: PLC0415

    learning = LearningSettings(horizon_days=configuration.settings.horizon_days)
    names, categorical = model_inputs({}, features_of(configuration.settings.signals))
    if saved is None:
        return Champion(names, categorical, learning), []
    model, missing = Champion.load(saved, names, categorical, learning)
    return model, [name for name in missing if not name.startswith(ATTRIBUTE)]


E = TypeVar("E", bound="Engine")


def engine(
    configuration: Configuration, model: Path | None, saved: Mapping[str, Any] | None, *, ledger: bool = False
) -> Engine:
    """An engine, fresh or as it was saved; with a saved model it learns nothing, with a ledger it can be reported on.

    Raises as `engine_of`.
    """
    from engine.engine import Engine  # noqa: PLC0415

    return engine_of(Engine, configuration, model, saved, ledger=ledger)


def engine_of(
    kind: type[E],
    configuration: Configuration,
    model: Path | None,
    saved: Mapping[str, Any] | None,
    *,
    ledger: bool = False,
) -> E:
    """The same, of a kind of engine.

    Raises OSError, ModelFileError, and UsageError for a state that this version cannot carry over.
    """
    try:
        scoring, _ = champion(configuration, None if model is None else model.read_bytes())
    except ModelFileError as error:
        raise ModelFileError(f"{model}: {error}") from error
    made = kind(configuration, scoring, Ledger(int(configuration.settings.utc_offset)) if ledger else None)
    if saved is not None:
        frozen = {} if model is None else {f"model.{name}": part for name, part in scoring.snapshot().items()}
        try:
            made.restore({**saved, **frozen})
        except (ValueError, KeyError, msgspec.MsgspecError) as error:
            said = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"the saved state cannot be used: {said}") from error
    return made
