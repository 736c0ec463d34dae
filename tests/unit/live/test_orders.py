"""Which orders workers work by: all judge alike, by what the topic holds."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from support.bundles import library_of, quick
from support.engines import batch
from support.orders import EDIT, Given, changed, order
from support.small_streams import lines, random_moments

from rules.approval import Book
from streams.live.admission import admitted, approval_of
from streams.live.bundle import (
    Approval,
    Order,
    UnreadableRecordError,
    bundle_of,
    bundle_record,
    digest,
    in_words,
    known,
    order_record,
    rules_digest,
    unpacked,
)
from streams.live.journal import Reload
from streams.live.library import Library, RefusedError


def refusal(asked: Order, current: str, library: Library) -> tuple[str, str]:
    with pytest.raises(RefusedError) as refused:
        admitted(asked, 7, current, library)
    return refused.value.why, str(refused.value)


def test_records_come_back_and_what_is_not_what_its_key_says_is_refused() -> None:
    files = quick()
    key, value = bundle_record(files)
    found = known(key, value).bundle
    assert found is not None
    assert unpacked(found[1], found[0]) == files
    assert known(*order_record(order(files))).order == order(files)
    with pytest.raises(UnreadableRecordError, match="not what its key says"):
        unpacked(value, "0" * 64)
    for key, value in ((b"what", b"{}"), (b"order/1", b"[]"), (None, b""), (b"bundle/1", None)):
        with pytest.raises(UnreadableRecordError):
            known(key, value)


@pytest.mark.parametrize("name", ["../churn.yaml", "rules/../../x.yaml", "/etc/x.yaml", "rules/a/b.yaml", "notes.txt"])
def test_a_bundle_lays_out_no_file_but_a_configurations(name: str) -> None:
    files = quick() | {name: b"x"}
    with pytest.raises(UnreadableRecordError, match="no file of a configuration"):
        unpacked(bundle_record(files)[1], digest(files))


def test_the_same_again_is_no_order_and_a_change_is_one() -> None:
    first, second = quick(), quick(**EDIT)
    library, (one, two) = library_of(first, second)
    assert admitted(order(first), 3, one, library) is None
    assert admitted(order(second), 4, one, library) == Reload(4, two)
    assert admitted(order(first, released=["busy"]), 5, one, library) == Reload(5, one, ["busy"])


def test_a_bad_rule_set_is_refused_with_file_and_line() -> None:
    good, bad = quick(), quick(**{"expr: complaints_overdue >= 1": "expr: complaints_overdu >= 1"})
    library, (one, _) = library_of(good, bad)
    why, said = refusal(order(bad), one, library)
    assert why == "faults"
    assert said.startswith("rules/quick.yaml:16:")
    assert "did you mean `complaints_overdue`" in said
    assert refusal(order(bad, bundle="f" * 64), one, library)[0] == "missing"


def test_a_fault_that_names_a_place_names_that_of_the_bundle() -> None:
    good = quick()
    twice = good | {"rules/again.yaml": good["rules/quick.yaml"]}
    library, (one, _) = library_of(good, twice)
    said = refusal(order(twice), one, library)[1]
    assert "the id `busy` is taken already (rules/again.yaml:6)" in said
    assert tempfile.gettempdir() not in said


def test_settings_that_state_rests_on_need_an_order_that_says_so() -> None:
    good = quick()
    other = changed(good, "recheck: 24h", "recheck: 12h")
    library, (one, two) = library_of(good, other)
    assert refusal(order(other), one, library) == (
        "settings",
        "`recheck` cannot be changed while the engine runs: restart it",
    )
    assert admitted(order(other, rebuild=True), 9, one, library) == Reload(9, two, [], True)


def test_a_release_is_of_live_rules_in_force() -> None:
    good, other = quick(), quick(**EDIT)
    library, (one, _) = library_of(good, other)
    assert refusal(order(other, released=["busy"]), one, library)[0] == "outdated"
    assert refusal(order(good, released=["bussy"]), one, library) == (
        "outdated",
        "no live rule `bussy` is in force",
    )


FOUR = ("routing:", "approval: {four_eyes: true}\nrouting:")


def test_with_four_eyes_only_approved_rules_are_worked_by() -> None:
    before = changed(quick(), *FOUR)
    after, off = before | {"rules/quick.yaml": quick(**EDIT)["rules/quick.yaml"]}, quick(**EDIT)
    library, (one, two, _) = library_of(before, after, off)
    rules = rules_digest(after)
    assert refusal(order(after), one, library)[0] == "approval"
    for approval in (
        Approval(rules_digest(before), "ann", "bob"),
        Approval(rules, "ann", "Ann "),
        Approval(rules, "ann", ""),
    ):
        assert refusal(order(after, approval=approval), one, library)[0] == "approval"
    assert admitted(order(after, approval=Approval(rules, "ann", "bob")), 5, one, library) == Reload(5, two)
    why, said = refusal(order(off, approval=Approval(rules, "ann", "bob")), one, library)
    assert (why, "cannot be switched off" in said) == ("approval", True)


def test_an_approval_is_that_of_the_rules_in_force(folder: Path) -> None:
    assert approval_of(folder, bundle_of(folder)) is None
    draft = folder.parent / "draft"
    shutil.copytree(folder / "rules", draft)
    (draft / "quick.yaml").write_bytes(quick(**EDIT)["rules/quick.yaml"])
    Book(folder).propose(folder / "rules", "v", "ann", "t0")
    entry = Book(folder).propose(draft, "v", "ann", "t1")
    assert approval_of(folder, bundle_of(folder)) is None
    Book(folder).approve(entry.files, "bob", "t2", four_eyes=True)
    assert approval_of(folder, bundle_of(folder)) == Approval(rules_digest(bundle_of(folder)), "ann", "bob")


def test_what_is_no_order_leaves_those_in_force(folder: Path) -> None:
    given = Given()

    async def story() -> None:
        await given.folder(folder).first()
        await given.board._take(9, b"order/x", b"nonsense")
        await given.board._take(10, *order_record(order(quick(**EDIT))))
        assert [one.why for one in given.refusals] == ["unreadable", "missing"]
        assert len(given.board.orders) == 1

    asyncio.run(story())


def test_a_rule_that_is_held_is_let_loose_by_a_release() -> None:
    everybody = quick(**{'expr: balance < 5 and pay_mode == "prepaid"': "expr: uses_90d >= 0"})
    strict = changed(everybody, "routing:", "guard: {share: 0.2, at_least: 2}\nrouting:")
    library, (one, two) = library_of(changed(quick(), "routing:", "guard: {share: 0.2, at_least: 2}\nrouting:"), strict)
    engine = library.engine(one, None)
    engine.step(batch(lines(random_moments(5, 100, customers=6))), 0)
    engine, alarms = library.reloaded(engine, Reload(0, two))
    assert [alarm.rule for alarm in alarms] == ["poor"]
    engine, alarms = library.reloaded(engine, Reload(1, two, ["poor"]))
    assert (list(alarms), "poor" in engine.held) == ([], False)


def test_an_order_is_one_line_whatever_its_note_holds() -> None:
    (line,) = in_words([Order("b" * 64, "v", "applied", "ann\nbob", "now", "x)\nnow  approved")])
    assert len(line.splitlines()) == 1
