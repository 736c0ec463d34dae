"""`churn rules schema|features|explain|diff|test`: what rule authors look things up with."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from support.bundles import NEVER_TRUE
from support.engines import DEFAULT
from typer.testing import CliRunner, Result

import simulator
from rules.faults import ConfigurationError
from streams import bootstrap
from streams.commands.feature_list import SPREAD
from streams.commands.root import app

AMONG = f"among the N of {DEFAULT / 'rules'}"


def churn(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, arguments)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("events") / "events.jsonl"
    simulator.simulate(60, 45, 3, str(file))
    return file


def edited(root: Path, **replaced: tuple[str, str]) -> Path:
    """The default configuration with something replaced in some rule files."""
    (root / "rules").mkdir(parents=True)
    for file in DEFAULT.rglob("*.yaml"):
        text = file.read_text()
        if file.stem in replaced and file.parent.name == "rules":
            assert replaced[file.stem][0] in text
            text = text.replace(*replaced[file.stem])
        (root / file.relative_to(DEFAULT)).write_text(text)
    return root


KINDS = {
    "settings": ["churn.yaml"],
    "actions": ["actions.yaml"],
    "workdays": ["workdays.yaml"],
    "policy": ["policy.yaml"],
    "plans": ["plans.yaml"],
    "rules": [f"rules/{one.name}" for one in (DEFAULT / "rules").glob("*.yaml") if "_test" not in one.name],
    "tests": [f"rules/{one.name}" for one in (DEFAULT / "rules").glob("*_test.yaml")],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_fits_the_default_configuration(kind: str) -> None:
    done = churn("rules", "schema", "--kind", kind)
    schema = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name in KINDS[kind]:
        yaml = YAML(typ="safe", pure=True)
        yaml.constructor.yaml_constructors["tag:yaml.org,2002:timestamp"] = lambda self, node: str(node.value)
        jsonschema.Draft202012Validator(schema).validate(yaml.load((DEFAULT / name).read_text()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tier: watch", "tier: wach"),
        ("cooldown: 30d", "cooldown: thirty"),
        ("for: 168h", "fro: 168h"),
        ("evidence: [usage_7d_vs_own]", "evidence: [usage_7d]"),
        ("params: {back: 0.8}", "params: {back: [1]}"),
    ],
)
def test_the_schema_refuses_what_an_editor_should_mark(old: str, new: str) -> None:
    text = (DEFAULT / "rules" / "usage.yaml").read_text()
    assert old in text
    schema = json.loads(churn("rules", "schema").stdout)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(YAML(typ="safe", pure=True).load(text.replace(old, new)), schema)


def test_tests_say_how_much_of_the_rules_they_look_at() -> None:
    done = churn("rules", "test", "--coverage")
    assert done.exit_code == 0
    assert "coverage: " in done.stdout
    assert "is never true in any test" in done.stdout
    assert " tests, 0 failed\n" in done.stdout


def test_a_failing_test_shows_each_clause(tmp_path: Path) -> None:
    folder = edited(tmp_path / "config", usage=("drop: 0.35", "drop: 0.25"))
    done = churn("rules", "test", "--config", str(folder))
    assert done.exit_code == 1
    assert "usage-dropping should be true, but it is not so" in done.stdout
    assert "  usage-dropping: `usage_7d_vs_peers < params.drop` is false (left 0.34)" in done.stdout
    assert '`line_status == "active"` is true (left active)' in done.stdout


def test_features_come_with_their_distribution(events: Path) -> None:
    found = {one["name"]: one for one in json.loads(churn("rules", "features", str(events), "--format", "json").stdout)}
    assert found["usage_7d_vs_own"]["unit"] == "ratio"
    live = found["data_mb_30d"]["live"]
    assert live["customers"] == 60
    assert 0 < live["quantiles"]["0.5"] < live["quantiles"]["0.99"]
    assert sum(found["line_status"]["live"]["values"].values()) == pytest.approx(1)
    head, *lines = churn("rules", "features", str(events)).stdout.splitlines()
    assert head.split("\t") == ["name", "kind", "unit", "window", "meaning", "含义", "causes", SPREAD]
    assert len(lines) == len(found)
    assert all(line.count("\t") == 7 for line in lines)


def test_explain_tells_each_clause_over_time_and_when_it_fired(events: Path, tmp_path: Path) -> None:
    warnings = tmp_path / "warnings.jsonl"
    churn("replay", str(events), "--warnings", str(warnings))
    raised = next(one for one in map(json.loads, warnings.open()) if one["status"] == "raised")
    rule, customer = raised["rules"][0]["id"], raised["customer_id"]
    done = churn("rules", "explain", rule, "--customer", customer, str(events), "--format", "json")
    found = json.loads(done.stdout)
    assert raised["raised_at"] in [one["at"] for one in found["fired"]]
    assert {one["fires"] for one in found["moments"]} >= {"true"}
    true = next(one for one in found["moments"] if one["fires"] == "true")
    assert all(clause["state"] == "true" for clause in true["clauses"] if " or " not in found["expr"])
    text = churn("rules", "explain", rule, "--customer", customer, str(events)).stdout
    assert f"fired at {raised['raised_at']}" in text


def test_explain_says_which_warning_a_rule_joined(events: Path, tmp_path: Path) -> None:
    warnings = tmp_path / "warnings.jsonl"
    churn("replay", str(events), "--warnings", str(warnings))
    elevated = next(one for one in map(json.loads, warnings.open()) if one["status"] == "elevated")
    rule, customer = elevated["rules"][0]["id"], elevated["customer_id"]
    asked = ("rules", "explain", rule, "--customer", customer, str(events))
    found = json.loads(churn(*asked, "--format", "json").stdout)["fired"]
    joined = next(one for one in found if one["at"] == elevated["raised_at"])
    assert (joined["joined"], joined["elevated"]) == (True, elevated["tier"])
    assert f"it joined the one that {joined['opened_by']} raised at {joined['raised_at']}, and" in churn(*asked).stdout
    trial = edited(tmp_path / "trial")
    for file in (trial / "rules").glob("*.yaml"):
        file.write_text(file.read_text().replace(f"id: {rule}\n", f"id: {rule}\n        mode: shadow\n"))
    found = json.loads(churn(*asked, "--config", str(trial), "--format", "json").stdout)["fired"]
    assert any(one["live"] and one["live"]["raised_at"] == joined["raised_at"] for one in found)


def test_a_rule_that_the_guard_holds_is_said_so(events: Path, tmp_path: Path) -> None:
    rule = (
        '{alert: Any, id: any-use, tier: watch, expr: has(days_since_use), reason: any, text: {en: "Any", zh-CN: "有"}}'
    )
    folder = edited(tmp_path / "config")
    settings = folder / "churn.yaml"
    settings.write_text(settings.read_text().replace("at_least: 100", "at_least: 10"))
    (folder / "rules" / "any.yaml").write_text(f"version: 1\ngroups:\n  - name: any\n    rules:\n      - {rule}\n")
    told = re.compile(r"rule `any-use` fired within a day for \d+ customers \([\d.]+%\): held in shadow until released")
    page = tmp_path / "page.html"
    done = churn("rules", "backtest", str(events), "--config", str(folder), "--out", str(page))
    assert re.search("the guard stops counting rule any-use at .*: " + told.pattern, done.stdout)
    assert "The guard stops counting at" in page.read_text()
    done = churn("rules", "explain", "any-use", "--customer", "c0000001", str(events), "--config", str(folder))
    assert re.search("the guard held it at .*: " + told.pattern, done.stdout)


def test_explain_a_rule_that_is_switched_off(events: Path, tmp_path: Path) -> None:
    text = (
        (DEFAULT / "rules" / "usage.yaml")
        .read_text()
        .replace("id: usage-dropping\n", "id: usage-dropping\n        mode: off\n")
    )
    (tmp_path / "usage.yaml").write_text(text)
    done = churn(
        "rules",
        "explain",
        "usage-dropping",
        "--customer",
        "c0000001",
        str(events),
        "--rules",
        str(tmp_path / "usage.yaml"),
    )
    assert done.stdout.startswith("usage-dropping (off): ")
    nobody = f"no event of {events} names this customer, of 60 that they name"
    for arguments, message in (
        (("usage-droping", "--customer", "c0000001"), f"{AMONG}; did you mean `usage-dropping`?"),
        (("UsageDropping", "--customer", "c0000001"), f"{AMONG}; that is the alert of `usage-dropping`"),
        (("usage-dropping", "--customer", "nobody"), f"--customer nobody: {nobody}"),
        (("usage-dropping", "--customer", "Ｃ0000001 "), f"--customer Ｃ0000001 : {nobody}; did you mean `c0000001`?"),
    ):
        done = churn("rules", "explain", *arguments, str(events))
        expected = message.replace(AMONG, f"no rule `{arguments[0]}` {AMONG}")
        assert (done.exit_code, re.sub(r"the \d+ of", "the N of", done.stderr.strip("\n"))) == (2, expected)


def test_diff_says_what_changed_in_words(tmp_path: Path) -> None:
    new = edited(
        tmp_path / "new",
        usage=(
            "params: {drop: 0.35, settled: 60}",
            "mode: shadow\n        params: {drop: {value: 0.4, by: {value_class: {high: 0.5}}}, settled: 60}",
        ),
        complaints=("params: {wait: 3}", "params: {wait: 5}"),
    )
    (new / "rules" / "risk.yaml").unlink()
    lines = churn("rules", "diff", str(DEFAULT), str(new)).stdout.splitlines()
    assert "usage-dropping: params.drop: 0.35 -> 0.4 (high 0.5)" in lines
    assert "usage-dropping: mode: live -> shadow" in lines
    assert "complaint-waiting: params.wait: 3 -> 5" in lines
    assert "risk-watch: removed (watch)" in lines
    assert len(lines) == 3 + 3 + 1
    assert churn("rules", "diff", str(DEFAULT), str(DEFAULT)).stdout.startswith("no difference\n")


SIGNALS = """
signals:
  complained_online:
    kind: yes/no
    text: {en: Complained on a public site, zh-CN: 在公开网站投诉}
  offers_seen:
    kind: number
    text: {en: Offers of others seen, zh-CN: 浏览他网优惠次数}
"""
ONLINE = """version: 1
groups:
  - name: online
    rules:
      - alert: ComplainedOnline
        id: complained-online
        mode: shadow
        tier: watch
        expr: complained_online and offers_seen >= 2
        reason: complained_online
        text: {en: "Offers of others: {{ offers_seen }}", zh-CN: "他网优惠{{ offers_seen }}次"}
"""


def test_an_operator_s_own_signals_are_seen_by_all_of_them(events: Path, tmp_path: Path) -> None:
    folder = edited(tmp_path / "config")
    (folder / "churn.yaml").write_text((folder / "churn.yaml").read_text() + SIGNALS)
    (folder / "rules" / "online.yaml").write_text(ONLINE)
    last = json.loads(events.read_bytes().splitlines()[-1])["occurred_at"]
    common = {"type": "customer.noted", "customer_id": "c0000001", "occurred_at": last}
    notes = [{"code": "complained_online", "event_id": "n1"}, {"code": "offers_seen", "value": 3, "event_id": "n2"}]
    (tmp_path / "more.jsonl").write_text("".join(json.dumps(common | note) + "\n" for note in notes))
    files = (str(events), str(tmp_path / "more.jsonl"), "--config", str(folder))
    found = {one["name"]: one for one in json.loads(churn("rules", "features", *files, "--format", "json").stdout)}
    assert found["offers_seen"]["live"]["known"] == pytest.approx(1 / 60)
    assert found["offers_seen"]["live"]["quantiles"]["0.5"] == 3
    done = churn("rules", "explain", "complained-online", "--customer", "c0000001", *files)
    assert "offers_seen = 3" in done.stdout
    assert "fired at" in done.stdout
    schema = json.loads(churn("rules", "schema", "--config", str(folder)).stdout)
    assert "offers_seen" in schema["$defs"]["RuleEntry"]["properties"]["evidence"]["items"]["enum"]


def test_a_file_name_that_is_no_utf_8_is_shown_with_escapes(tmp_path: Path) -> None:
    folder = edited(tmp_path / "config")
    options = ("--config", str(folder))
    usage = (folder / "rules" / "usage.yaml").read_text()
    named = folder / "rules" / os.fsdecode("资费.yaml".encode("gbk"))
    named.write_text(usage)
    for command in (("config", "check"), ("rules", "check"), ("rules", "check", "--format", "json"), ("rules", "test")):
        done = churn(*command, *options)
        assert done.exit_code in {1, 2}
        assert isinstance(done.exception, SystemExit)
        assert "\\udcd7" in done.stdout + done.stderr
    (folder / "rules" / "usage.yaml").unlink()
    (folder / "rules" / "usage_test.yaml").unlink()
    assert churn("rules", "propose", *options, "--by", "Li Wei").exit_code == 0


def test_the_check_sees_the_overrides_that_the_tests_see(tmp_path: Path) -> None:
    folder = edited(tmp_path / "config")
    overridden = {"COLUMNS": "200", "CHURN_TIERS": "[watch]"}
    for command in ("check", "test"):
        done = CliRunner(env=overridden).invoke(app, ["rules", command, "--config", str(folder)])
        assert done.exit_code != 0
        assert "no tier `warning`" in done.output


def test_what_is_approved_must_be_right_with_the_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_TIERS", "[watch]")
    with pytest.raises(ConfigurationError, match="no tier `warning`"):
        bootstrap.configuration(edited(tmp_path / "config"))


ON_RULES = ("--rule", "complaint-waiting", "--precision", "0.2")


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "FILE"),
        ("report", "FILE"),
        ("demo", "--once"),
        ("rules", "test"),
        ("rules", "backtest", "FILE"),
        ("rules", "tune", "FILE", *ON_RULES),
    ],
)
def test_whatever_takes_rules_up_refuses_what_only_the_check_finds(
    command: tuple[str, ...], events: Path, tmp_path: Path
) -> None:
    folder = edited(tmp_path / "config")
    (folder / "rules" / "never.yaml").write_text(NEVER_TRUE)
    arguments = [str(events) if one == "FILE" else one for one in command]
    done = churn(*arguments, "--config", str(folder))
    said = f"{folder}/rules/never.yaml:5:54: rule `never`: `expr` can never be true\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.parametrize(
    "command",
    [
        ("schema",),
        ("features",),
        ("explain", "never", "--customer", "c0000001", "FILE"),
        ("backtest", "FILE", "--rules", str(DEFAULT), "--against", "FOLDER"),
        ("diff", "FOLDER", str(DEFAULT)),
    ],
)
def test_what_only_looks_something_up_takes_such_rules_as_they_stand(
    command: tuple[str, ...], events: Path, tmp_path: Path
) -> None:
    folder = edited(tmp_path / "config")
    (folder / "rules" / "never.yaml").write_text(NEVER_TRUE)
    places = {"FILE": str(events), "FOLDER": str(folder)}
    done = churn("rules", *(places.get(one, one) for one in command), "--config", str(folder))
    assert done.exit_code == 0, done.output


def test_a_fault_in_the_tests_beside_rules_keeps_them_from_being_taken_up_too(events: Path, tmp_path: Path) -> None:
    folder = edited(tmp_path / "config", usage_test=("exp_rules: [usage-dropping]", "exp_rules: [usage-droping]"))
    checked = churn("rules", "check", "--config", str(folder), "--allow-warnings")
    done = churn("replay", str(events), "--config", str(folder))
    assert (checked.exit_code, done.exit_code) == (1, 2)
    assert "usage_test.yaml:" in done.stderr
    assert set(done.stderr.splitlines()) <= set(checked.stdout.splitlines())


@pytest.mark.parametrize("command", [("rules", "features"), ("replay", "FILE"), ("rules", "test")])
def test_a_misspelt_override_is_said_by_every_command_that_loads(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    arguments = [str(tmp_path / "none.jsonl") if one == "FILE" else one for one in command]
    done = CliRunner(env={"COLUMNS": "200", "CHURN_RECHEK": "12h"}).invoke(app, arguments)
    assert done.exit_code == 0, done.output
    said = "environment CHURN_RECHEK:1:1: `CHURN_RECHEK` is no setting; did you mean `CHURN_RECHECK`? (warning)"
    assert done.stderr.count(said) == 1
    assert said not in done.stdout


def test_findings_end_with_one_unless_warnings_are_allowed(tmp_path: Path) -> None:
    folder = edited(tmp_path / "config")
    options = ("--config", str(folder), "--allow-warnings")
    (folder / "rules" / "usage_test.yaml").unlink()
    for command in ("rules", "config"):
        strict, lenient = churn(command, "check", *options[:2]), churn(command, "check", *options)
        assert (strict.exit_code, lenient.exit_code) == (1, 0)
        assert strict.stdout == lenient.stdout
        assert "no test expects it to fire (warning)" in lenient.stdout
    (folder / "rules" / "usage.yaml").write_text("version: 1\n")
    assert churn("rules", "check", *options).exit_code == 1


def told_by(folder: Path, event: str) -> Result:
    """`rules test` of one story with an event."""
    story = (
        f"version: 1\ntests:\n  - name: told\n    start: 2026-03-01T00:00:00+08:00\n    input_events:\n      - {event}\n"
        "    warning_test: [{eval_time: 99h, exp_warnings: []}]\n"
    )
    (folder / "rules" / "usage_test.yaml").write_text(story)
    return churn("rules", "test", "--config", str(folder))


def test_what_is_wrong_with_an_event_of_a_test_is_said_once_with_its_place(tmp_path: Path) -> None:
    folder = edited(tmp_path / "config")
    head = "{at: 1h, every: 1h, times: 50, "
    free = "source, account_id, line_id, count, seconds, mb, charge, failed, dropped, mbps, period, direction, "
    free += "network, peer_network, country, cell_id, peer"
    for event, place, message in (
        ("type: usage.record}", "6:46", "no event type `usage.record`; did you mean `usage.recorded`?"),
        (
            "type: usage.recorded, with: {service: data, volumes: 9}}",
            "6:84",
            f"`usage.recorded` has no field `volumes`; there are {free}",
        ),
        (
            "type: porting.queried, with: {acount_id: else}}",
            "6:70",
            "`porting.queried` has no field `acount_id`; did you mean `account_id`?",
        ),
        (
            "type: usage.recorded, with: {service: date, mb: 9}}",
            "6:78",
            "`service` is never 'date'; did you mean `data`?",
        ),
        (
            'type: usage.recorded, with: {service: data, mb: "9"}}',
            "6:88",
            "`mb` is not what the contract says (Expected `float | null`, got `str`)",
        ),
        ("type: usage.recorded, with: {mb: 9}}", "6:9", "`usage.recorded` needs the field `service` (under `with`)"),
    ):
        done = told_by(folder, head + event)
        assert done.exit_code == 2, done.output
        assert done.stderr.splitlines() == [f"{folder / 'rules' / 'usage_test.yaml'}:{place}: {message}"]


def test_an_event_of_a_test_that_the_engine_refuses_is_said_once(tmp_path: Path) -> None:
    fields = "{service: data, mb: 9, occurred_at: '3000-01-01T00:00:00Z'}"
    done = told_by(
        edited(tmp_path / "config"), f"{{at: 1h, every: 1h, times: 50, type: usage.recorded, with: {fields}}}"
    )
    said = [line for line in done.stdout.splitlines() if ": told: " in line]
    assert done.exit_code == 1
    assert len(said) == 1
    assert "told: an event of the case is bad: " in said[0]
    assert said[0].endswith(" (50 times)")
