"""How a command ends, also where nobody reads any more what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BODY = """
import sys, threading
from streams.problems import UsageError, ends_at_once, guarded, never_done
threading.Thread(target=threading.Event().wait).start()  # a client's, which ends by itself never

def say(text):
    print(text, file=sys.stderr, flush=True)

def refuse():
    raise UsageError("not like that")

@ends_at_once
@guarded
{kept}
def command():
    {does}

command()
"""


def ended(does: str, kept: str = "", *, heard: bool = True) -> tuple[int, str]:
    """Exit code and standard error of a command, whose reader is gone unless it is `heard`."""
    there, said = os.pipe()
    if not heard:
        os.close(there)
    command = [sys.executable, "-c", BODY.format(does=does, kept=kept)]
    try:
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=said, check=False, timeout=60).returncode
    finally:
        os.close(said)
    if not heard:
        return code, ""
    with os.fdopen(there) as read:
        return code, read.read()


def test_a_worker_whose_log_nobody_reads_ends_so_that_it_is_started_again() -> None:
    assert ended('say("one line")', "@never_done", heard=False) == (3, "")


def test_what_cannot_be_said_changes_no_exit_code() -> None:
    command = [sys.executable, "-c", BODY.format(does="refuse()", kept="")]
    with Path("/dev/full").open("wb") as full:
        assert subprocess.run(command, stderr=full, check=False, timeout=60).returncode == 2
    assert ended("refuse()", heard=False) == (2, "")
    assert ended("1 / 0", heard=False) == (1, "")
    assert ended("sys.stderr.close() or 1 / 0") == (1, "")


@pytest.mark.parametrize(("how", "code"), [("", 0), ("7", 7), ("'in words'", 1)])
def test_an_exit_from_within_keeps_its_code(how: str, code: int) -> None:
    assert ended(f"sys.exit({how})") == (code, "")


def test_threads_hold_no_command() -> None:
    assert ended("pass") == (0, "")
    assert ended("refuse()") == (2, "not like that\n")
    code, said = ended("1 / 0")
    assert (code, said.splitlines()[-1]) == (1, "ZeroDivisionError: division by zero")
