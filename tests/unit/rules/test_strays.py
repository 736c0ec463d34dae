"""Files of a configuration folder that nobody reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engines import DEFAULT

from rules.check import check
from rules.strays import strays
from streams import bootstrap


def test_the_default_configuration_has_none() -> None:
    assert strays(DEFAULT) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rules/extra.yml", "is not read; did you mean `extra.yaml`?"),
        ("rules/Foo.YAML", "is not read; did you mean `Foo.yaml`?"),
        ("rules/sub/more.yaml", "is not read: a folder; rule files stand in `rules/` itself"),
        ("polcy.yaml", "is not read; did you mean `policy.yaml`?"),
        ("churn.yml", "is not read; did you mean `churn.yaml`?"),
        ("Plans.yaml", "is not read; did you mean `plans.yaml`?"),
    ],
)
def test_a_file_that_is_not_read_is_a_warning(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("version: 1\n")
    (found,) = strays(tmp_path)
    assert (found.message, found.severity) == (message, "warning")
    there = tmp_path / name if "sub" not in name else (tmp_path / name).parent
    assert found.file == str(there)
    assert found in check(tmp_path, bootstrap.schema())


@pytest.mark.parametrize(
    "name", ["README.md", "rules/README.md", "rules/.usage.yml.swp", "versions/a/x.yml", "compose.yml"]
)
def test_what_is_no_rule_file_is_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("version: 1\n")
    assert strays(tmp_path) == []
