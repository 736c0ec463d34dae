"""Daily feature rows: recorded without a trace in the decisions, and judged as the engine judges at each day's end."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from msgspec.structs import replace
from support.engines import DEFAULT
from typer.testing import CliRunner, Result

import simulator
from customers.rounds import Rows
from engine.engine import Engine
from engine.parts import DAY_US
from rules.backtesting import findings
from rules.columns import Sheet
from rules.grain import finer
from rules.load import Configuration, load
from streams import bootstrap
from streams.commands.root import app
from streams.daily_rows import Block, RowColumns, packed, pseudonym, read
from streams.day_files import DayFile, day_files
from streams.problems import UsageError
from streams.pseudonyms import pseudonym_key
from streams.recording import Recorder, RecordingEngine
from streams.replay import Job, replay
from streams.studies.daily_trials import tried_daily

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
        engine = bootstrap.engine_of(RecordingEngine, configuration, None, None)
        if name == "with":
            engine.record(Recorder(made / "rows", KEY))
        replay(Job([str(made / "events.jsonl")], warnings=made / name), lambda _, one=engine: one, print)
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

    class Comparing(Recorder):
        def _block(self, engine: Engine, rows: Rows, count: int, names, pseudonyms):  # type: ignore[no-untyped-def]
            verdict = engine.evaluation.judge(rows, count, learn=False)
            for k, rule in enumerate(live):
                word, bit = k // 64, np.uint64(1) << np.uint64(k % 64)
                for i in np.flatnonzero(verdict.fire[:count, word] & bit).tolist():
                    true[rule.id].add((int(rows.now[i]), f"{pseudonyms[rows.customer[i]]:016x}"))
            return super()._block(engine, rows, count, names, pseudonyms)

    rows = folder / "compared"
    engine = bootstrap.engine_of(RecordingEngine, configuration, None, None)
    engine.record(Comparing(rows, KEY))
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


def test_a_key_is_asked_for_where_a_run_may_be_resumed(tmp_path: Path) -> None:
    assert pseudonym_key(resumed=False, environment={}) != pseudonym_key(resumed=False, environment={})
    given = {"CHURN_PSEUDONYM_KEY": "secret"}
    assert pseudonym_key(resumed=True, environment=given) == pseudonym_key(resumed=False, environment=given)
    with pytest.raises(UsageError, match="set CHURN_PSEUDONYM_KEY"):
        pseudonym_key(resumed=True, environment={})
    (tmp_path / "key").write_text("secret\n")
    in_file = {"CHURN_PSEUDONYM_KEY_FILE": str(tmp_path / "key")}
    assert pseudonym_key(resumed=True, environment=in_file) == pseudonym_key(resumed=False, environment=given)
    with pytest.raises(UsageError, match=r"^CHURN_PSEUDONYM_KEY_FILE: .*No such file"):
        pseudonym_key(resumed=True, environment={"CHURN_PSEUDONYM_KEY_FILE": str(tmp_path / "none")})


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


def split(folder: Path, into: Path, partitions: int) -> None:
    """The rows of a replay as so many partitions would have recorded them."""
    for path in day_files((str(folder),)) or ():
        head, blocks = read(path)
        held = [(block, np.frombuffer(block.customers, np.uint64)) for block in blocks]
        for lane in range(partitions):
            (into / str(lane)).mkdir(parents=True, exist_ok=True)
            gone = [one for one in head.gone if one.customer % partitions == lane]
            file = DayFile(into / str(lane), replace(head, partition=lane, partitions=partitions, epoch=4, gone=gone))
            for block, pseudonyms in held:
                kept = np.flatnonzero(pseudonyms % partitions == lane)
                parts = {name: np.frombuffer(column)[kept] for name, column in block.columns.items()}
                flags = [np.frombuffer(part, np.bool_)[kept].tobytes() for part in (block.asleep, block.explained)]
                file.add(Block(pseudonyms[kept].tobytes(), *flags, packed(parts), block.texts))
            file.close()


def figures(folder: Path, configuration: Configuration, *, but: tuple[str, ...] = ()) -> dict[str, Any]:
    found = findings(tried_daily((str(folder),), configuration, 1.0))
    return {name: one for name, one in found.items() if name not in but}


def test_days_in_files_of_several_partitions_give_the_figures_of_one_file(folder: Path, tmp_path: Path) -> None:
    configuration = load(DEFAULT, bootstrap.schema(), {})
    split(folder / "rows", tmp_path, 3)
    whole = figures(folder / "rows", configuration)
    assert whole["new"]["by_tier"]["watch"]["episodes"]["count"] > 10
    assert figures(tmp_path, configuration) == whole


def test_what_is_not_there_is_said_and_what_is_there_twice_counts_once(folder: Path, tmp_path: Path) -> None:
    split(folder / "rows", tmp_path / "rows", 3)
    whole = churn("rules", "backtest", str(tmp_path / "rows")).stdout
    assert "no rows" not in whole
    (tmp_path / "rows" / "9").mkdir()
    shutil.copy(*(tmp_path / "rows" / lane / "2026-01-09-000000000004.rows.zst" for lane in ("1", "9")))
    twice = churn("rules", "backtest", str(tmp_path / "rows")).stdout
    (remark,) = set(twice.splitlines()) - set(whole.splitlines())
    assert re.fullmatch(r"\d+ rows left out: of customers who had one of that day already", remark)
    shutil.rmtree(tmp_path / "rows" / "9")
    (tmp_path / "rows" / "2" / "2026-01-09-000000000004.rows.zst").unlink()
    for lane in "012":
        (tmp_path / "rows" / lane / "2026-01-05-000000000004.rows.zst").unlink()
    done = churn(
        "rules", "backtest", str(tmp_path / "rows"), "--out", str(tmp_path / "page.html"), "--language", "zh-CN"
    )
    assert done.stdout.splitlines()[1:3] == [  # before the figures that rest on it
        "no rows on 2026-01-05: nobody there was looked at",
        "no rows of partition 2 (of 3) on 2026-01-09: nobody there was looked at",
    ]
    assert "2026-01-09 · 分区 2 (共 3)" in (tmp_path / "page.html").read_text("utf-8")


def test_rows_under_several_keys_are_refused(folder: Path, tmp_path: Path) -> None:
    for _ in range(2):  # a key that nobody keeps, each time another
        (tmp_path / "rows").mkdir(exist_ok=True)
        rows = tmp_path / "rows" / str(len([*(tmp_path / "rows").iterdir()]))
        assert churn("replay", str(folder / "events.jsonl"), "--feature-rows", str(rows)).exit_code == 0
    done = churn("rules", "backtest", str(tmp_path / "rows"))
    assert done.exit_code == 2
    assert re.search("recorded under another key than .*, so nobody can be recognised\n$", done.stderr)


def test_a_feature_that_was_recorded_on_some_days_only_is_named(folder: Path, tmp_path: Path, rules: Path) -> None:
    shutil.copytree(folder / "rows", tmp_path / "rows")
    paths = day_files((str(tmp_path / "rows"),)) or []
    head, blocks = read(paths[0])
    file = DayFile(paths[0].parent, replace(head, features=[one for one in head.features if one != "complaints_90d"]))
    for block in list(blocks):
        block.columns.pop("complaints_90d", None)
        file.add(block)
    file.close()
    lacking = tried_daily((str(tmp_path / "rows"),), of_rules(rules), 1.0).unrecorded
    assert lacking["complained"] == [f"complaints_90d (in {len(paths) - 1} of {len(paths)} files)"]
