"""Who works here."""

from __future__ import annotations

import getpass
import os

import pytest

from streams.who import user


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "wang")
    assert user() == "wang"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)  # as in a container that runs as anybody
    with pytest.raises((KeyError, OSError)):
        getpass.getuser()
    assert user() == "4000000000"
