"""Daily feature rows of a worker's partitions: where they go, and what becomes of a folder that cannot be written."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import structlog

from sinks.metrics import Metrics
from streams.daily_rows import Whose
from streams.live.settings import PREFIX, LiveSettings
from streams.problems import UsageError
from streams.pseudonyms import KEY, digest_of

if TYPE_CHECKING:
    from streams.recording import Recorder

NAME: Final = f"{PREFIX}FEATURE_ROWS"
log = structlog.get_logger()


def check(settings: LiveSettings) -> None:
    """Raises UsageError where rows are asked for without a key, or in what is no folder."""
    if settings.feature_rows is None:
        return
    if not settings.pseudonym_key.get_secret_value():
        raise UsageError(f"{NAME}: set {KEY} (or {KEY}_FILE) too, to the same for all workers")
    if settings.feature_rows.is_file():
        raise UsageError(f"{NAME}: {settings.feature_rows}: is no folder")


def recorder_of(settings: LiveSettings, metrics: Metrics, whose: Whose) -> Recorder | None:
    """Who writes a partition's days into its own folder; None where that is not asked for.

    What cannot be written is said and counted, and the worker goes on: decisions are worth more.
    """
    if settings.feature_rows is None:
        return None

    def failed(what: str, error: Exception) -> None:
        metrics.feature_rows_failures.inc()
        log.error("no feature rows", what=what, partition=whose.partition, error=str(error) or repr(error))

    folder = settings.feature_rows / str(whose.partition)
    key = digest_of(settings.pseudonym_key.get_secret_value())
    made: type[Recorder] = import_module("streams.recording").Recorder  # with the engine, which a worker waits for last
    return made(folder, key, whose, settings.feature_rows_keep, failed)
