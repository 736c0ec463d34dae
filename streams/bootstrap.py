"""The one place that wires: configuration, feature catalogue, model and state into an engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectors.features import FEATURES
from detectors.registry import DETECTORS
from rules.feature_types import Schema
from rules.load import Configuration, load
from rules.vocabulary import schema_of
from streams.core import Core
from streams.problems import UsageError

MARK = "churn.yaml"
"""The file that makes a folder a configuration."""


def config_folder(asked_for: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """`--config`, else CHURN_CONFIG, else the folder that came with the program; raises UsageError."""
    chosen = asked_for or (Path(environment["CHURN_CONFIG"]) if environment.get("CHURN_CONFIG") else None)
    if chosen is not None:
        if not chosen.is_dir():
            raise UsageError(f"{chosen}: no such folder")
        return chosen
    tree = Path(__file__).resolve().parent.parent / "config"
    installed = Path(sys.prefix) / "share" / "churn-early-warning" / "config"
    for folder in (tree, installed):
        if (folder / MARK).is_file():
            return folder
    raise UsageError(f"no configuration found; give --config or CHURN_CONFIG (looked in {tree} and {installed})")


def schema() -> Schema:
    """What rules may name."""
    return schema_of(FEATURES, DETECTORS)


def configuration(folder: Path) -> Configuration:
    """The folder's configuration with the environment's overrides; raises ConfigurationError."""
    return load(folder, schema(), os.environ)


def engine(configuration: Configuration, model: Path | None, saved: Mapping[str, Any] | None) -> Core:
    """An engine, fresh or as it was saved; raises OSError and what the parts raise."""
    raise UsageError("the engine is not there yet")
