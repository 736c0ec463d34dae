"""One file per fault in testdata/bad_rules, each ending in the findings it must give: `# expect line:column: message`.

The name's beginning says which file of a configuration it stands for: churn_, actions_, workdays_, cases_, else rules.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import rules.load
from rules.check import check
from rules.faults import MOST_FAULTS
from rules.feature_types import FeatureType
from rules.yaml_source import parse

HERE = Path(__file__).parents[2] / "testdata" / "bad_rules"
SCHEMA = {
    "usage_7d_vs_own": FeatureType(unit="ratio"),
    "complaints_open": FeatureType(unit="complaints"),
    "flag": FeatureType("bool"),
    "data_mb_30d": FeatureType(unit="MB"),
    "bill_amount": FeatureType(unit="money"),
    "value_class": FeatureType("category", values=("high", "mid", "low")),
}
CHURN = """version: 1
tiers: [watch]
deadlines:
  watch: {other: {ack: 8h, resolve: 40h}}
routing: {other: care}
"""
CAUSES = "network process plan_fit competitor_price plan_price after_sales care personal regulation environment unknown"
ACTIONS = """version: 1
actions:
  care_call: {text: {en: Call, zh-CN: 致电}}
  gift_data: {text: {en: Gift, zh-CN: 赠送}}
causes:
""" + "".join(
    f"  {cause}: {{text: {{en: {cause}, zh-CN: {cause}}}, actions: {{watch: [care_call]}}}}\n"
    for cause in CAUSES.split()
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK = "".join(f'  {day}: ["09:00-18:00"]\n' for day in DAYS)
WORKDAYS = f'version: 1\nweek:\n{WEEK}make_up_hours: ["09:00-18:00"]\n'
RULES = """version: 1
groups:
  - name: usage
    rules:
      - alert: UsageDrop
        id: usage-drop
        tier: watch
        expr: usage_7d_vs_own < 0.4
        reason: usage_drop
        text: {en: less, zh-CN: 减少}
"""
CASES = """version: 1
tests:
  - name: falls
    features: {usage_7d_vs_own: 0.3}
    exp_rules: [usage-drop]
"""
PARSED = {text.encode(): parse("good.yaml", text.encode()) for text in (CHURN, ACTIONS, WORKDAYS)}
PLACES = {
    "churn": "churn.yaml",
    "actions": "actions.yaml",
    "workdays": "workdays.yaml",
    "cases": "rules/usage_test.yaml",
    "rules": "rules/usage.yaml",
}
GOOD = {"churn": CHURN, "actions": ACTIONS, "workdays": WORKDAYS, "cases": CASES, "rules": RULES}


def configuration(folder, **replaced):
    """Writes a small good configuration with some files replaced (bytes or text)."""
    (folder / "rules").mkdir()
    for kind, content in (GOOD | replaced).items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / PLACES[kind]).write_bytes(raw)


def faults_of(file, folder):
    """What check says of a bad file in its place, without the file's name."""
    kind = file.name.split("_")[0]
    kind = kind if kind in PLACES else "rules"
    configuration(folder, **{kind: file.read_text()})
    return [shown(fault, folder, PLACES[kind]) for fault in check(folder, SCHEMA)]


def shown(fault, folder, at):
    where = "" if fault.file == str(folder / at) else f"{Path(fault.file).name}:"
    note = " (warning)" if fault.severity == "warning" else ""
    return f"{where}{fault.line}:{fault.column}: {fault.message.replace(f'{folder}/', '')}{note}"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Parses the good files that nothing is said about once, not once per test."""
    monkeypatch.setattr(rules.load, "parse", lambda file, raw: PARSED.get(raw) or parse(file, raw))


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.yaml")))
def test_a_bad_file_is_refused_with_place_and_mend(name, tmp_path):
    lines = (HERE / name).read_text().splitlines()
    expected = [line.removeprefix("# expect ") for line in lines if line.startswith("# expect ")]
    assert expected
    assert faults_of(HERE / name, tmp_path) == expected


def test_the_good_configuration_around_them_is_good(tmp_path):
    configuration(tmp_path)
    assert check(tmp_path, SCHEMA) == []


ENCODINGS = {
    "utf-8-sig": [],
    "utf-16": ["1:1: the file is UTF-16: save it as UTF-8"],
    "gbk": ["10:33: not UTF-8 (GBK from Excel or WPS?): save the file as UTF-8"],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding, tmp_path):
    configuration(tmp_path, rules=RULES.encode(encoding))
    assert [shown(fault, tmp_path, PLACES["rules"]) for fault in check(tmp_path, SCHEMA)] == ENCODINGS[encoding]


@pytest.mark.parametrize("begin", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_workbook_is_called_so(begin, tmp_path):
    configuration(tmp_path, rules=begin)
    said = ["1:1: a workbook of Excel or WPS, not a text: rules are text files"]
    assert [shown(fault, tmp_path, PLACES["rules"]) for fault in check(tmp_path, SCHEMA)] == said


def test_windows_line_ends_are_read_right(tmp_path):
    configuration(tmp_path, rules=RULES.replace("0.4", "0.4 and nope").replace("\n", "\r\n").encode())
    assert [shown(fault, tmp_path, PLACES["rules"])[:5] for fault in check(tmp_path, SCHEMA)] == ["8:41:"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "1:1: the file is empty"),
        (b"# only a comment\n", "1:1: the file is empty"),
        (b"a: \x07", "1:4: the character U+0007 cannot stand in YAML"),
        (b"[" * 5000, "1:201: nested too deep"),
        (b"a: " + b"[" * 30 + b"]" * 30, "1:24: nested too deep"),
        (b"x" * 1_000_001, "1:1: the file is larger than 1,000,000 bytes"),
        (b"version: " + b"9" * 5000, "1:10: `9999"),
    ],
)
def test_what_is_hardly_yaml(raw, message, tmp_path):
    configuration(tmp_path, rules=raw)
    found = [shown(fault, tmp_path, PLACES["rules"]) for fault in check(tmp_path, SCHEMA)]
    assert any(one.startswith(message) for one in found), found


@pytest.mark.parametrize("kind", ["churn", "actions", "workdays"])
def test_a_missing_file_is_named(kind, tmp_path):
    configuration(tmp_path)
    (tmp_path / PLACES[kind]).unlink()
    assert [str(fault) for fault in check(tmp_path, SCHEMA)] == [f"{tmp_path / PLACES[kind]}:1:1: the file is missing"]


def test_faults_of_all_files_come_in_one_go(tmp_path):
    configuration(tmp_path, churn=CHURN + "x: 1\n", workdays=WORKDAYS + "y: 1\n", rules=RULES + "z: 1\n")
    assert [fault.code for fault in check(tmp_path, SCHEMA)] == ["unknown-key"] * 3


def test_of_very_many_faults_the_first_are_told_and_how_many_more_there_are(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "many.yaml").write_text("version: 1\ngroups: []\nx: {" + "~, " * 1_000 + "}\n")
    (folder / "rules" / "one.yaml").write_text("version: 1\ngroups: 5\n")
    found = [fault for fault in check(folder, SCHEMA) if "/rules/" in fault.file]
    many = [fault for fault in found if fault.file.endswith("many.yaml")]
    assert len(many) == MOST_FAULTS + 1
    assert many[-1].message == "and 802 more faults in this file: mend these first"
    assert (many[-1].severity, many[-1].line) == ("error", 3)
    assert [str(fault).rsplit(":", 1)[1] for fault in found if fault not in many] == [" `groups` must be a list"]


def test_an_anchor_that_stands_twice_is_said_by_its_fault_alone(recwarn: pytest.WarningsRecorder) -> None:
    _, faults = parse("a.yaml", b"a: &x 1\nb: &x 2\n")
    assert [fault.line for fault in faults] == [1, 2]
    assert not recwarn.list


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named_with_or_without_its_mark(encoding: str) -> None:
    _, faults = parse("a.yaml", "version: 1  # 套餐\n".encode(encoding))
    assert [fault.message for fault in faults] == ["the file is UTF-16: save it as UTF-8"]


def test_a_text_that_was_read_before_has_its_faults_where_it_stands_now() -> None:
    for raw, wrong in ((b"version: 1\nrules: []\n", False), (b"version: 1\nversion: 1\n", True)):
        (one, first), (other, second) = (parse(file, raw) for file in ("a.yaml", "b.yaml"))
        assert (one.file, other.file) == ("a.yaml", "b.yaml")
        assert one.root == other.root
        assert other.fault(("version",), "m").file == "b.yaml"
        assert [fault.file for fault in (*first, *second)] == (["a.yaml", "b.yaml"] if wrong else [])
        one.dropped.add(("version",))
        assert not other.dropped
