"""The cache folder follows what compiled code can see, and nothing else."""

import os
import time

import pytest

from events import compiled as module


@pytest.fixture
def sources(monkeypatch):
    texts = {
        "events.compiled": "",
        "customers.fold": "from events.compiled import compiled\nfrom customers import (\n    rings,\n    names,\n)",
        "customers.rings": "SIZE = 4",
        "customers.names": "import events.codes",
        "events.codes": "A = 1",
        "rules.texts": "B = 1",
    }
    monkeypatch.setattr(module, "our_sources", lambda: dict(texts))
    monkeypatch.setattr(module, "imports", module.imports.__wrapped__)
    return texts


@pytest.fixture
def found_anew():
    module.choose_folder.cache_clear()
    yield
    module.choose_folder.cache_clear()


@pytest.mark.parametrize("name", ["customers.fold", "customers.rings", "customers.names", "events.codes"])
def test_what_compiled_code_can_see_changes_the_folder(sources, name):
    before = module.sources_hash("customers.fold")
    sources[name] += "\n# changed"
    assert module.sources_hash("customers.fold") != before


def test_what_it_cannot_see_does_not(sources):
    before = module.sources_hash("customers.fold")
    sources["rules.texts"] += "\n# changed"
    assert module.sources_hash("customers.fold") == before


def test_our_own_sources_are_found():
    assert {"events.scan", "events.hashing"} <= module.our_sources().keys()


def test_old_folders_go_but_not_those_in_use(tmp_path):
    now = time.time()
    for age in range(10):
        (tmp_path / f"a.b-{age}").mkdir()
        os.utime(tmp_path / f"a.b-{age}", (now - age * 86_400 * 0.6,) * 2)
    (tmp_path / "a.c-0").mkdir()
    os.utime(tmp_path / "a.c-0", (0, 0))
    module.prune(tmp_path, tmp_path / "a.b-9")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b-0", "a.b-1", "a.b-2", "a.b-9", "a.c-0"]


@pytest.mark.usefixtures("found_anew")
def test_a_cache_that_cannot_be_written_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = module.choose_folder("events.scan")
    assert folder.is_dir()
    assert tmp_path not in folder.parents
    folder.rmdir()


@pytest.mark.usefixtures("found_anew")
def test_the_user_s_cache_directory_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert module.choose_folder("events.scan").parent == tmp_path / "churn-early-warning"


def test_division_by_zero_is_as_in_numpy():
    divide = module.compiled(lambda left, right: left / right)
    assert divide(1.0, 0.0) == float("inf")
