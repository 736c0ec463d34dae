"""Problems with names, and the exit code each ends a command with (contract, section 4)."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec

import typer

from models.storage import ModelFileError
from rules.faults import ConfigurationError
from sinks.jsonl import ShorterError
from sinks.queues.connection import QueuesUnavailableError, QueueUrlError
from sinks.queues.looking import NoSuchItemError
from sinks.queues.work import NotNowError
from streams.checkpoint import InUseError, TooNewError, UnreadableError

FINDINGS = 1
WRONG_USAGE = 2
OUTSIDE_FAILED = 3
INTERRUPTED = 130

P = ParamSpec("P")


class UsageError(Exception):
    """The command cannot be run as it was asked for, a missing input included."""


class OutsideError(Exception):
    """A part outside (Kafka, Redis) cannot be reached or refuses us."""


EXITS: dict[type[Exception], int] = {
    UsageError: WRONG_USAGE,
    ConfigurationError: WRONG_USAGE,
    ModelFileError: WRONG_USAGE,
    ShorterError: WRONG_USAGE,
    InUseError: WRONG_USAGE,
    TooNewError: WRONG_USAGE,
    UnreadableError: OUTSIDE_FAILED,
    OutsideError: OUTSIDE_FAILED,
    QueueUrlError: WRONG_USAGE,
    NoSuchItemError: WRONG_USAGE,
    NotNowError: FINDINGS,
    QueuesUnavailableError: OUTSIDE_FAILED,
    OSError: OUTSIDE_FAILED,
    MemoryError: OUTSIDE_FAILED,
}


def complain(text: str) -> None:
    """Say something to the person at the terminal, beside the output, if anybody is there."""
    with suppress(OSError, ValueError):  # nobody reads, the disk is full, or it was closed
        typer.echo(text.encode(errors="backslashreplace").decode(), err=True)  # a file's name may be no UTF-8


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """A command whose known problems end in one clear message and the right exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:  # the reader of our output has seen enough
            _silence()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except tuple(EXITS) as problem:
            complain(f"not enough memory: {problem}" if isinstance(problem, MemoryError) else str(problem))
            raise typer.Exit(next(code for kind, code in EXITS.items() if isinstance(problem, kind))) from problem

    return run


def _silence() -> None:
    """What is still to be written on the way out goes nowhere."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                os.dup2(nowhere, stream.fileno())


def never_done(command: Callable[P, None]) -> Callable[P, None]:
    """A command that works until it is told to stop: that nobody reads its log any more is no good end, after which whoever
    watches over it has to start it again.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError as problem:
            raise OutsideError(str(problem)) from problem

    return run


def ends_at_once(command: Callable[P, None]) -> Callable[P, None]:
    """A `guarded` command after which no thread of a client may hold the process, however it ended."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        code = 1
        try:
            command(*args, **kwargs)
            code = 0
        except typer.Exit as end:
            code = end.exit_code
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - nothing may keep the process alive
            with suppress(Exception):  # nobody may be there to read it
                traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stderr.flush()
            os._exit(code)

    return run
