"""`churn rules propose|approve|rollback|log`: nothing is in force that nobody approved, and going back is one command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.engines import DEFAULT, engine
from typer.testing import CliRunner, Result

from rules.approval import ApprovalError, Book, Entry, hash_of, in_words, same_person
from streams.commands.root import app


def churn(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "config"
    (root / "rules").mkdir(parents=True)
    for file in DEFAULT.rglob("*.yaml"):
        text = file.read_text()
        (root / file.relative_to(DEFAULT)).write_text(text.replace("four_eyes: false", "four_eyes: true"))
    return root


def draft(folder: Path, wait: int) -> Path:
    """The rules with another threshold, beside those in force."""
    there = folder.parent / f"draft-{wait}"
    there.mkdir()
    for file in (folder / "rules").glob("*.yaml"):
        (there / file.name).write_text(file.read_text().replace("params: {wait: 3}", f"params: {{wait: {wait}}}"))
    return there


def hash_in(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return next(line for line in done.stdout.splitlines() if line.startswith("proposed ")).split()[1]


def test_proposed_approved_and_rolled_back(folder: Path) -> None:
    options = ("--config", str(folder))
    first = hash_in(churn("rules", "propose", *options, "--by", "Li Wei", "--note", "as delivered"))
    assert churn("rules", "approve", first, *options, "--by", "Wang Fang").exit_code == 0
    before = hash_of(folder / "rules")
    done = churn("rules", "propose", str(draft(folder, 5)), "--untested", *options, "--by", "Li Wei")
    assert "complaint-waiting: params.wait: 3 -> 5" in done.stdout
    assert hash_of(folder / "rules") == before  # a proposal changes nothing
    refused = churn("rules", "approve", hash_in(done), *options, "--by", " li  wei ")
    said = "Li Wei proposed it (` li  wei ` is the same name): another person must approve it\n"
    assert (refused.exit_code, refused.stderr) == (2, said)
    assert churn("rules", "approve", hash_in(done), *options, "--by", "Wang Fang").exit_code == 0
    assert "{wait: 5}" in (folder / "rules" / "complaints.yaml").read_text()
    back = churn("rules", "rollback", *options, "--by", "Chen Jie", "--note", "too many")
    assert back.exit_code == 0
    assert hash_of(folder / "rules") == before
    told = churn("rules", "log", *options).stdout.splitlines()
    assert [line.split("  ")[1].strip() or line.split()[2] for line in told]
    assert [("rolled back" in line, line.startswith("*")) for line in told][-1] == (True, True)
    assert "by Chen Jie  (too many)" in told[-1]
    assert len(told) == 5
    assert churn("rules", "check", *options).exit_code == 0


@pytest.mark.parametrize(
    "name", ["Li Wei", "LI WEI", " li  wei ", "LiWei", "Ｌｉ　Ｗｅｉ", "Li\u200b Wei", "Li\u00a0Wei"]
)
def test_a_name_written_otherwise_is_the_same_person(name: str) -> None:
    assert same_person("Li Wei", name)
    assert not same_person("Li Wen", name)
    assert not same_person("李伟", name)


def test_without_four_eyes_it_is_remarked_that_one_person_did_both(folder: Path) -> None:
    settings = folder / "churn.yaml"
    settings.write_text(settings.read_text().replace("four_eyes: true", "four_eyes: false"))
    options = ("--config", str(folder))
    proposed = hash_in(churn("rules", "propose", *options, "--by", "Li Wei"))
    done = churn("rules", "approve", proposed, *options, "--by", "ＬＩＷＥＩ")
    assert done.exit_code == 0
    assert "remark: ＬＩＷＥＩ proposed it too, so nobody else has seen it" in done.stdout
    other = hash_in(churn("rules", "propose", str(draft(folder, 5)), "--untested", *options, "--by", "Li Wei"))
    assert "remark" not in churn("rules", "approve", other, *options, "--by", "Wang Fang").stdout


def test_every_command_names_the_version_that_warnings_name(folder: Path) -> None:
    options = ("--config", str(folder))
    version = engine(folder).writer.versions["rules"]
    assert churn("rules", "check", *options).stdout.endswith(f"fine; warnings name these rules version {version}\n")
    done = churn("rules", "propose", *options, "--by", "a")
    assert done.stdout.endswith(f" by a; warnings will name it version {version}\n")
    wrong = churn("rules", "approve", version, *options, "--by", "b")
    assert wrong.stderr.endswith(f"; it is a version, as warnings name it, of {hash_in(done)}\n")
    assert (
        f" by b; warnings name it version {version}\n"
        in churn("rules", "approve", hash_in(done), *options, "--by", "b").stdout
    )
    assert f"version {version} -> {version}" in churn("rules", "diff", str(folder), str(folder)).stdout
    assert all(f"  version {version}  by " in line for line in churn("rules", "log", *options).stdout.splitlines())


def test_what_is_at_fault_cannot_be_proposed(folder: Path) -> None:
    there = draft(folder, 5)
    (there / "usage.yaml").write_text("version: 1\n")
    done = churn("rules", "propose", str(there), "--config", str(folder), "--by", "a")
    assert done.exit_code == 2
    assert "usage.yaml:1:1: the key `groups` is missing" in done.stderr
    assert not (folder / "approvals.jsonl").exists()


CONTRADICTORY = """version: 1
groups:
  - name: x
    rules:
      - {alert: X, id: x, tier: watch, expr: uses_7d > 1, clear_expr: uses_7d > 0, reason: x, text: {en: x, zh-CN: x}}
"""


def test_what_only_the_check_finds_is_neither_proposed_nor_put_in_force(folder: Path) -> None:
    """A rule set that loads and contradicts itself, or did no harm when it was proposed."""
    there, options = draft(folder, 5), ("--config", str(folder))
    (there / "x.yaml").write_text(CONTRADICTORY)
    done = churn("rules", "propose", str(there), *options, "--by", "a")
    assert (done.exit_code, "x.yaml:5:" in done.stderr) == (2, True), done.output
    kept, before = Book(folder), hash_of(folder / "rules")
    first = kept.propose(folder / "rules", "v", "a", "now")
    faulty = kept.propose(there, "v", "a", "now")
    kept.approve(faulty.files, "b", "now", four_eyes=True)
    kept.approve(first.files, "b", "now", four_eyes=True)
    written = (folder / "approvals.jsonl").read_bytes()
    for command in (("approve", faulty.files), ("rollback", faulty.files)):
        done = churn("rules", *command, *options, "--by", "b")
        assert (done.exit_code, "both `expr` and `clear_expr` are true" in done.stderr) == (2, True), done.output
    assert hash_of(folder / "rules") == before
    assert (folder / "approvals.jsonl").read_bytes() == written


def test_rules_in_force_that_would_be_refused_now_can_be_replaced(folder: Path) -> None:
    there, options, kept = draft(folder, 5), ("--config", str(folder)), Book(folder)
    (folder / "rules" / "x.yaml").write_text(CONTRADICTORY)
    kept.approve(kept.propose(folder / "rules", "v", "a", "now").files, "b", "now", four_eyes=True)
    mended = churn("rules", "propose", str(there), *options, "--untested", "--by", "a")
    assert "x: removed" in mended.stdout
    done = churn("rules", "approve", hash_in(mended), *options, "--by", "b")
    assert (done.exit_code, (folder / "rules" / "x.yaml").exists()) == (0, False), done.output


def test_the_log_shows_tampering_and_unapproved_edits(folder: Path) -> None:
    options = ("--config", str(folder))
    for by, approver in (("a", "b"), ("c", "d")):
        proposed = hash_in(churn("rules", "propose", *options, "--by", by))
        if by == "a":
            churn("rules", "approve", proposed, *options, "--by", approver)
    usage = folder / "rules" / "usage.yaml"
    usage.write_text(usage.read_text().replace("drop: 0.35", "drop: 0.3"))
    done = churn("rules", "log", *options)
    assert done.exit_code == 1
    assert "are others than those in force" in done.stdout
    log = folder / "approvals.jsonl"
    log.write_text(log.read_text().replace('"by":"a"', '"by":"z"'))
    done = churn("rules", "log", *options)
    assert (done.exit_code, done.stderr) == (2, f"{log}:2:1: an entry before it was changed or removed\n")


def test_a_kept_rule_set_that_was_changed_is_not_put_in_force(folder: Path) -> None:
    kept = Book(folder)
    entry = kept.propose(folder / "rules", "v", "a", "now")
    (folder / "versions" / entry.files / "usage.yaml").write_text("version: 1\n")
    with pytest.raises(ApprovalError, match="is missing, or not what was proposed"):
        kept.approve(entry.files, "b", "now", four_eyes=True)
    assert Book(folder).active is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("approve", "0123"), "no proposal `0123`; there are none"),
        (("rollback",), "no rule set was in force before"),
        (("rollback", "0123"), "no rule set 0123 was in force before"),
        (("propose", "--by", " "), "it must be said by whom (--by)"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, folder: Path) -> None:
    done = churn("rules", *arguments, "--config", str(folder))
    assert (done.exit_code, done.stderr) == (2, message + "\n")


def test_hand_edits_that_nobody_proposed_are_not_overwritten(folder: Path) -> None:
    options = ("--config", str(folder))
    first = hash_in(churn("rules", "propose", *options, "--by", "a"))
    second = hash_in(churn("rules", "propose", str(draft(folder, 5)), "--untested", *options, "--by", "a"))
    assert churn("rules", "approve", first, *options, "--by", "b").exit_code == 0
    usage = folder / "rules" / "usage.yaml"
    edit = usage.read_text().replace("drop: 0.35", "drop: 0.3")
    usage.write_text(edit)
    edited = hash_of(folder / "rules")
    refused = churn("rules", "approve", second, *options, "--by", "b")
    assert refused.exit_code == 2
    assert f"what stands in {folder / 'rules'} ({edited[:12]}) was never proposed" in refused.stderr
    assert usage.read_text() == edit
    hash_in(churn("rules", "propose", "--untested", *options, "--by", "c"))
    assert churn("rules", "approve", second, *options, "--by", "b").exit_code == 0
    usage.write_text(edit + "# again\n")
    edited = hash_of(folder / "rules")
    assert churn("rules", "rollback", *options, "--by", "b").exit_code == 0  # going back waits for nobody
    assert hash_of(folder / "versions" / edited) == edited


def test_what_is_no_rule_file_stays(folder: Path) -> None:
    kept = Book(folder)
    rules = folder / "rules"
    (rules / "README.md").write_text("mine")
    (rules / "notes").mkdir()
    (rules / "notes" / "why.txt").write_text("why")
    first = kept.propose(rules, "v", "a", "now")
    second = kept.propose(draft(folder, 5), "v", "a", "now")
    for entry in (first, second):
        kept.approve(entry.files, "b", "now", four_eyes=True)
    kept.rollback("b", "now")
    assert (rules / "README.md").read_text() == "mine"
    assert (rules / "notes" / "why.txt").read_text() == "why"
    assert not [one for one in folder.iterdir() if one.name.startswith(".rules")]


def test_rules_behind_a_link_are_replaced_where_they_are(folder: Path) -> None:
    real = folder.parent / "elsewhere" / "ours"
    real.parent.mkdir()
    (folder / "rules").rename(real)
    (folder / "rules").symlink_to(real)
    kept = Book(folder)
    first = kept.propose(folder / "rules", "v", "a", "now")
    second = kept.propose(draft(folder, 5), "v", "a", "now")
    third = kept.propose(draft(folder, 6), "v", "a", "now")
    for entry in (second, third, first):
        kept.approve(entry.files, "b", "now", four_eyes=True)
        assert (folder / "rules").is_symlink()
        assert hash_of(real) == kept.written == entry.files


def test_what_cannot_be_put_in_place_is_not_logged(folder: Path) -> None:
    kept = Book(folder)
    entry = kept.propose(folder / "rules", "v", "a", "now")
    (folder / ".rules.coming").write_text("in the way")
    with pytest.raises(OSError, match="coming"):
        kept.approve(entry.files, "b", "now", four_eyes=True)
    assert Book(folder).active is None


def test_an_act_is_one_line_of_the_log_whatever_its_note_holds(folder: Path) -> None:
    forged = "x)\n* 2026-01-01T00:00:00Z  approved       0123456789ab  by Wang Fang"
    options = ("--config", str(folder), "--by", f"Li Wei\n{forged}", "--note", forged)
    done = churn("rules", "propose", *options)
    assert len([line for line in done.stdout.splitlines() if line.startswith("*")]) == 0
    (line,) = churn("rules", "log", "--config", str(folder)).stdout.splitlines()
    assert "(x)\\n* 2026" in line
    old = Entry("proposed", "0123", "v", "a\nb", "now", forged, "")  # logged before
    assert all(len(one.splitlines()) == 1 for one in in_words([old], None))


def test_each_rollback_goes_one_further_back_and_never_forward(folder: Path) -> None:
    kept, rules = Book(folder), folder / "rules"
    one, two, three = (
        kept.propose(where, "v", "a", "now").files for where in (rules, draft(folder, 5), draft(folder, 6))
    )
    for files in (one, two, three):
        kept.approve(files, "b", "now", four_eyes=True)
    assert [kept.rollback("b", "now").files for _ in range(2)] == [two, one]
    with pytest.raises(ApprovalError, match="no rule set was in force before"):
        kept.rollback("b", "now")
    assert hash_of(rules) == one
    assert kept.rollback("b", "now", files=three[:12]).files == three  # forward only where it is named
    assert kept.rollback("b", "now").files == one
    kept.approve(two, "b", "now", four_eyes=True)
    kept.approve(one, "b", "now", four_eyes=True)  # again: it counts where it was last approved
    assert [entry.files for entry in kept.history()] == [two, one]
    assert [entry.files for entry in Book(folder).history()] == [two, one]


def test_two_who_act_at_once_write_one_log(folder: Path) -> None:
    """Both have read the log before either writes."""
    one, other = Book(folder), Book(folder)
    one.propose(folder / "rules", "v", "a", "now")
    other.propose(draft(folder, 5), "v", "b", "now")
    assert [entry.by for entry in Book(folder).entries] == ["a", "b"]


PROPOSING = """
import sys
import subprocess
import sys
from pathlib import Path
from rules.approval import Book
folder, by = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    Book(folder).propose(folder / "rules", "v", by, str(number))
"""


def test_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROPOSING, folder, by], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for by in ("a", "b", "c")
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.communicate("go\n", timeout=60)
        assert process.returncode == 0
    written = [(entry.by, entry.at) for entry in Book(folder).entries]
    assert sorted(written) == sorted((by, str(number)) for by in "abc" for number in range(40))


def test_what_fails_its_tests_is_not_proposed_unless_somebody_says_so(folder: Path) -> None:
    there, options = draft(folder, 3), ("--config", str(folder), "--by", "a", "--note", "stricter")
    rule = (there / "usage.yaml").read_text()
    assert "drop: 0.35" in rule
    (there / "usage.yaml").write_text(rule.replace("drop: 0.35", "drop: 0.25"))
    refused = churn("rules", "propose", str(there), *options)
    assert refused.exit_code == 2
    assert "usage-dropping should be true, but it is not so" in refused.stderr
    assert refused.stderr.splitlines()[-1].endswith(" tests failed; --untested hands it in all the same")
    assert not (folder / "approvals.jsonl").exists()
    hash_in(churn("rules", "propose", str(there), *options, "--untested"))
    assert "(stricter (untested))" in churn("rules", "log", "--config", str(folder)).stdout
