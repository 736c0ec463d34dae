"""A worker's settings that cannot be used are said by name before anything is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.live.settings import live_settings
from streams.problems import UsageError


@pytest.mark.parametrize("name", ["CHURN_KAFKA_CA_FILE", "CHURN_KAFKA_CERT_FILE"])
def test_a_certificate_that_is_none_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rubbish.pem"
    file.write_bytes(b"\xff\xfe")
    monkeypatch.setenv("CHURN_KAFKA_SECURITY", "SSL")
    monkeypatch.setenv(name, str(file))
    with pytest.raises(UsageError, match=f"^{name}: {file}: cannot be used") as caught:
        live_settings().client()
    assert "\n" not in str(caught.value)


def test_no_broker_at_all_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_KAFKA_BOOTSTRAP", "")
    with pytest.raises(UsageError, match=r"^CHURN_KAFKA_BOOTSTRAP: "):
        live_settings()


def test_checkpoints_in_a_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("CHURN_CHECKPOINTS", str(file))
    with pytest.raises(UsageError, match=f"^CHURN_CHECKPOINTS: {file}: is no folder$"):
        live_settings()
