"""Shadow rules beside live ones, from what a replay or the workers wrote."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import msgspec
import pytest
from support.bundles import quick
from support.engines import QUICK
from support.small_streams import lines, random_moments
from typer.testing import CliRunner

from streams.commands.root import app
from streams.studies.side_by_side import compared, in_words

TIERS = ("watch", "warning", "critical")


@pytest.fixture
def replayed(tmp_path: Path) -> tuple[Path, Path, Path, Path]:
    """A configuration with a rule on trial, events, and what a replay said of them; the report last."""
    config, events = Path(shutil.copytree(QUICK, tmp_path / "config")), tmp_path / "events.jsonl"
    files = quick(**{"id: severe, ": "id: severe, mode: shadow, "})
    (config / "rules" / "quick.yaml").write_bytes(files["rules/quick.yaml"])
    events.write_bytes(b"\n".join(lines(random_moments(6, 400, customers=8))) + b"\n")
    warnings, shadow, report = (tmp_path / name for name in ("warnings.jsonl", "shadow.jsonl", "report.json"))
    asked = ["replay", events, "--config", config, "--warnings", warnings, "--shadow", shadow, "--report", report]
    assert CliRunner().invoke(app, [str(one) for one in asked]).exit_code == 0
    return config, shadow, warnings, report


def test_files_say_what_the_report_of_the_replay_says(replayed) -> None:
    config, shadow, warnings, report = replayed
    said = CliRunner().invoke(
        app, ["rules", "shadow", str(shadow), "--warnings", str(warnings), "--config", str(config), "--format", "json"]
    )
    found = msgspec.json.decode(said.output)["rules"]["severe"]
    expected = msgspec.json.decode(report.read_bytes())["shadow"]["rules"]["severe"]
    assert found["episodes"] == expected["episodes"] > 0
    assert found["customers"] == expected["customers"]
    text = CliRunner().invoke(
        app, ["rules", "shadow", str(shadow), "--warnings", str(warnings), "--config", str(config)]
    )
    assert text.output.startswith(f"severe: {found['episodes']} would-be warnings of {found['customers']} customers")


def test_a_decision_that_was_delivered_twice_counts_once(replayed) -> None:
    _, shadow, warnings, _ = replayed
    live, aside = warnings.read_bytes().splitlines(), shadow.read_bytes().splitlines()
    assert compared(live, [*aside, *aside], [], TIERS, 30) == compared(live, aside, [], TIERS, 30)


def test_a_live_warning_counts_as_long_as_it_is_open(replayed) -> None:
    _, shadow, warnings, _ = replayed
    live, aside = (list(map(msgspec.json.decode, one.read_bytes().splitlines())) for one in (warnings, shadow))
    opened = next(one for one in live if one["revision"] == 1)
    would_be = next(one for one in aside if one["revision"] == 1) | {"customer_id": opened["customer_id"]}

    def also_live(*decisions: dict) -> int:
        told = [msgspec.json.encode(one) for one in decisions]
        return compared(told, [msgspec.json.encode(would_be)], [], TIERS, 30)["rules"]["severe"]["also_live"]

    long_ago = opened | {"raised_at": "2001-01-01T00:00:00Z"}
    over = opened | {"revision": 2, "status": "cleared", "raised_at": "2001-06-01T00:00:00Z"}
    still = over | {"raised_at": "2099-01-01T00:00:00Z"}
    assert also_live(long_ago) == 1
    assert also_live(long_ago, over) == 0
    assert also_live(long_ago, over, long_ago) == 0  # delivered once more
    assert also_live(still) == 1  # of which the first decision is no longer in the topic
    assert also_live(over) == 0


def test_files_may_be_packed(replayed, tmp_path) -> None:
    config, shadow, warnings, _ = replayed
    packed = tmp_path / "outcomes.jsonl.gz"
    left = {"type": "customer.churned", "customer_id": "c", "occurred_at": "2029-01-01T00:00:00Z", "event_id": "1"}
    packed.write_bytes(gzip.compress(msgspec.json.encode(left)))
    asked = ["rules", "shadow", str(shadow), "--warnings", str(warnings), "--config", str(config)]
    done = CliRunner().invoke(app, [*asked, "--outcomes", str(packed)])
    assert done.exit_code == 0, done.output
    packed.write_bytes(packed.read_bytes()[:-9])
    done = CliRunner().invoke(app, [*asked, "--outcomes", str(packed)])
    assert (done.exit_code, done.stderr) == (2, f"{packed}: gzip data ends too early\n")


def test_who_left_makes_precision(replayed) -> None:
    _, shadow, warnings, _ = replayed
    aside = shadow.read_bytes().splitlines()
    raised = [one for one in map(msgspec.json.decode, aside) if one["revision"] == 1]
    left = {one["customer_id"]: "2029-01-01T00:00:00Z" for one in raised}
    events = [
        b'{"type":"customer.churned","event_id":"%s","customer_id":"%s","occurred_at":"%s"}' % (who, who, at)
        for who, at in ((who.encode(), at.encode()) for who, at in left.items())
    ]
    found = compared(warnings.read_bytes().splitlines(), aside, events, TIERS, 100_000)["rules"]["severe"]
    assert found["precision"] == 1.0
    strange = [b"{", b"\xff", b"[]", b'{"type":1}', events[0].replace(b"2029", b"soon"), *events]
    wrapped = b'{"specversion":"1.0","id":"e","source":"s","type":"customer.churned","data":%s}'
    for told in ([*events, *events], strange, [wrapped % one for one in events]):
        again = compared(warnings.read_bytes().splitlines(), aside, told, TIERS, 100_000)["rules"]["severe"]
        assert again == found


def test_what_is_too_early_to_judge_is_said(replayed) -> None:
    _, shadow, warnings, _ = replayed
    aside = shadow.read_bytes().splitlines()
    who = msgspec.json.decode(aside[0])["customer_id"]
    left = b'{"type":"customer.churned","event_id":"e","customer_id":"%s","occurred_at":"2029-01-01T00:00:00Z"}'

    def said(days: int) -> tuple[dict, str]:
        found = compared(warnings.read_bytes().splitlines(), aside, [left % who.encode()], TIERS, days)
        return found["rules"]["severe"], in_words(found)[0]

    figures, text = said(100_000)  # the horizon is over for none
    assert (figures["too_early"], figures["horizons_over"]) == (figures["episodes"], 0)
    assert text.endswith(f"; no precision yet, {figures['episodes']} too early to judge: their horizon is not over")
    figures, text = said(1)
    assert figures["too_early"] == 0
    assert "; precision 0.00, recall" in text
    assert "too early" not in text


def test_a_file_that_is_none_of_ours_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}\n")
    said = CliRunner().invoke(app, ["rules", "shadow", str(tmp_path / "x"), "--warnings", str(tmp_path / "x")])
    assert said.exit_code == 2
    assert "not what the engine wrote" in said.output
    assert CliRunner().invoke(app, ["rules", "shadow", str(tmp_path / "x")]).exit_code == 2
