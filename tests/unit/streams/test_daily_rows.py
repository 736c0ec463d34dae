"""Daily feature rows: recorded without a trace in the decisions, and judged as the engine judges at each day's end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import zstandard
from support.engines import DEFAULT
from typer.testing import CliRunner, Result

import simulator
from customers.rounds import Rows
from rules.columns import Sheet
from rules.grain import finer
from rules.load import Configuration, load
from streams import bootstrap
from streams.cli import app
from streams.core import Core
from streams.daily_rows import RowColumns, day_files, pseudonym, read
from streams.daily_trials import tried_daily
from streams.parts import DAY_US
from streams.problems import UsageError
from streams.recording import RecordingEngine, pseudonym_key
from streams.replay import Job, replay

KEY = b"k" * 32
RULES = """
version: 1
groups:
  - name: daily
    rules:
      - alert: Complained
        id: complained
        tier: watch
        expr: complaints_90d >= 1
        cooldown: 3d
        reason: complaints
        text: {en: "{{ complaints_90d }} complaints", zh-CN: "投诉{{ complaints_90d }}次"}
      - alert: ComplainedLong
        id: complained-long
        tier: warning
        expr: complaints_90d >= 1
        for: 2d
        reason: complaints
        text: {en: "complaints", zh-CN: "投诉"}
      - alert: ComplainedLow
        id: complained-low
        tier: warning
        expr: complaints_90d >= 1 and value_class != "high"
        reason: complaints
        text: {en: "again", zh-CN: "再次"}
"""


def churn(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events of some customers, rows of their days, what a replay said with and without recording."""
    made = tmp_path_factory.mktemp("daily")
    simulator.simulate(90, 33, 8, str(made / "events.jsonl"))
    configuration = load(DEFAULT, bootstrap.schema(), {})
    for name in ("with", "without"):
        engine = bootstrap.engine(configuration, None, None)
        (made / "rows").mkdir(exist_ok=True)
        recording: Core = RecordingEngine(engine, made / "rows", KEY) if name == "with" else engine
        replay(Job([str(made / "events.jsonl")], warnings=made / name), lambda _, one=recording: one, print)
    return made


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rules") / "daily.yaml"
    file.write_text(RULES, "utf-8")
    return file


def of_rules(rules: Path) -> Configuration:
    return load(DEFAULT, bootstrap.schema(), {}, rules)


def test_recording_changes_no_decision(folder: Path) -> None:
    said = [
        [re.sub(r'"decided_at":"[^"]*"', "", line) for line in (folder / name).read_text().splitlines()]
        for name in ("with", "without")
    ]
    assert said[0]
    assert sorted(said[0]) == sorted(said[1])


def test_a_rule_that_needs_no_finer_grain_is_of_the_same_customers_and_days(folder: Path, rules: Path) -> None:
    """Of the events by the engine itself, of the rows by one look a day."""
    configuration = of_rules(rules)
    engine = bootstrap.engine(configuration, None, None)
    replay(Job([str(folder / "events.jsonl")]), lambda _: engine, print)
    names, offset = engine.names, int(configuration.settings.utc_offset)
    daily = tried_daily((str(folder / "rows"),), configuration, 1.0)
    assert not daily.finer
    assert not daily.unrecorded
    last = (daily.end + offset) // DAY_US

    def of(lines: list, name_of: list[str] | None) -> set[tuple[str, str, int]]:
        found = set()
        for line in lines:
            for rule, at in line.rules.items():
                if (at + offset) // DAY_US <= last:
                    whose = (
                        name_of[line.customer]
                        if name_of
                        else f"{pseudonym(names.customer_id(line.customer), KEY):016x}"
                    )
                    found.add((rule, whose, (at + offset) // DAY_US))
        return found

    by_events, by_rows = of(engine.decider.log.episodes, None), of(daily.episodes, daily.names)
    assert {rule for rule, _, _ in by_events} == {"complained", "complained-long", "complained-low"}
    assert by_rows == by_events


def test_every_default_rule_is_as_true_of_a_row_as_of_the_moment_it_stands_for(folder: Path) -> None:
    """Whatever the rule: at a day's end the compiled program over the state says what the rows say."""
    configuration = load(DEFAULT, bootstrap.schema(), {})
    live = configuration.rules.rules
    true: dict[str, set[tuple[int, str]]] = {rule.id: set() for rule in live}

    class Comparing(RecordingEngine):
        def _block(self, rows: Rows, count: int, names, pseudonyms):  # type: ignore[no-untyped-def]
            verdict = self._engine.evaluation.judge(rows, count, learn=False)
            for k, rule in enumerate(live):
                word, bit = k // 64, np.uint64(1) << np.uint64(k % 64)
                for i in np.flatnonzero(verdict.fire[:count, word] & bit).tolist():
                    true[rule.id].add((int(rows.now[i]), f"{pseudonyms[rows.customer[i]]:016x}"))
            return super()._block(rows, count, names, pseudonyms)

    rows = folder / "compared"
    rows.mkdir()
    engine = Comparing(bootstrap.engine(configuration, None, None), rows, KEY)
    replay(Job([str(folder / "events.jsonl")]), lambda _: engine, print)
    seen: dict[str, set[tuple[int, str]]] = {rule.id: set() for rule in live}
    codes: dict[str, dict[str, float]] = {}

    for path in day_files((str(rows),)) or ():
        head, blocks = read(path)
        for block in blocks:
            who = np.frombuffer(block.customers, np.uint64)
            columns = RowColumns(block, np.arange(len(who)), codes)
            columns.put_now(head.at)
            sheet = Sheet(columns)
            with np.errstate(all="ignore"):
                for rule in live:
                    seen[rule.id] |= {(head.at, f"{one:016x}") for one in who[rule.fires.evaluate(sheet)].tolist()}
    assert sum(map(len, true.values())) > 100
    assert seen == true


def test_the_rows_name_nobody(folder: Path) -> None:
    ids = {json.loads(line)["customer_id"] for line in (folder / "events.jsonl").open()}
    files = day_files((str(folder / "rows"),)) or []
    assert len(files) >= 31

    for path in files[-3:]:
        with path.open("rb") as raw:
            content = zstandard.ZstdDecompressor().stream_reader(raw).read()
        assert not [one for one in ids if ":" not in one and one.encode() in content]
    assert pseudonym("c1", KEY) != pseudonym("c1", b"x" * 32)


def test_a_key_is_asked_for_where_a_run_may_be_resumed() -> None:
    assert pseudonym_key(resumed=False, environment={}) != pseudonym_key(resumed=False, environment={})
    given = {"CHURN_PSEUDONYM_KEY": "secret"}
    assert pseudonym_key(resumed=True, environment=given) == pseudonym_key(resumed=False, environment=given)
    with pytest.raises(UsageError, match="set CHURN_PSEUDONYM_KEY"):
        pseudonym_key(resumed=True, environment={})


def test_what_needs_a_finer_grain_is_named() -> None:
    configuration = load(DEFAULT, bootstrap.schema(), {})
    known = {feature.name: feature for feature in bootstrap.features(configuration)}
    found = {rule.id: lines for rule in configuration.rules.rules if (lines := finer(rule, known))}
    assert found
    for lines in found.values():
        assert all(re.search(r"whole number of days|within the day|parts of a day", line) for line in lines)


def test_from_recording_to_a_page(folder: Path, tmp_path: Path) -> None:
    events, rows, figures, page = folder / "events.jsonl", tmp_path / "rows", tmp_path / "f.json", tmp_path / "p.html"
    assert churn("replay", str(events), "--feature-rows", str(rows)).exit_code == 0
    done = churn("rules", "backtest", str(rows), "--against", str(DEFAULT), "--json", str(figures), "--out", str(page))
    assert done.exit_code == 0, done.output
    assert "daily rows of 90 customers" in done.stdout
    assert "need more than a day's grain" in done.stdout
    found = json.loads(figures.read_text())
    assert found["grain"]["finer"]
    assert found["new"]["by_tier"]["watch"]["episodes"]["count"] > 0
    assert found["flips"]["watch"]["only_new"]["customers"]["count"] == 0
    assert "more than a day" in page.read_text()
    sample = churn("rules", "backtest", str(rows), "--sample", "0.5")
    assert "a sample of 50.0% scaled up" in sample.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no daily rows"), (b"no zstd at all", "damaged"), (None, "damaged or cut off|damaged")],
)
def test_a_damaged_file_is_one_line(folder: Path, tmp_path: Path, content: bytes | None, message: str) -> None:
    whole = (day_files((str(folder / "rows"),)) or [])[0].read_bytes()
    broken = tmp_path / "2026-01-01.rows.zst"
    broken.write_bytes(whole[: len(whole) // 2] if content is None else content)
    done = churn("rules", "backtest", str(broken))
    assert done.exit_code == 2
    assert re.search(message, done.stderr)
    assert done.stderr.count("\n") == 1


def test_events_and_rows_are_not_mixed(folder: Path) -> None:
    done = churn("rules", "backtest", str(folder / "rows"), str(folder / "events.jsonl"))
    assert done.exit_code == 2
    assert "events and daily rows cannot be mixed" in done.stderr
