"""The mounted configuration folder: what is news there, what is refused, and what undoes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from aiokafka.errors import KafkaTimeoutError
from structlog.testing import capture_logs
from support.bundles import accept, quick
from support.orders import EDIT, NEVER, Given, changed, order

from rules.load import Configuration
from streams.live.admission import admitted
from streams.live.bundle import (
    Order,
    bundle_of,
    digest,
    written,
)
from streams.live.folder import Folder
from streams.live.library import RefusedError


async def looked(mounted: Folder) -> None:
    """What is there at two looks is taken: at the first it may be half of a change."""
    await mounted.look(always=False)
    await mounted.look(always=False)


def test_a_folder_that_changed_is_given_and_a_bad_one_is_not(folder: Path) -> None:
    given = Given()
    mounted = given.folder(folder)

    async def story() -> None:
        await mounted.first()
        await looked(mounted)
        assert len(given.board.orders) == 1
        (folder / "rules" / "quick.yaml").write_bytes(b"version: 1\ngroups: [")
        await looked(mounted)
        await looked(mounted)
        assert [one.why for one in given.refusals] == ["faults"]
        assert mounted.wrong == str(given.refusals[0])
        assert len(given.board.orders) == 1
        (folder / "rules" / "quick.yaml").write_bytes(quick(**EDIT)["rules/quick.yaml"])
        await mounted.look(always=False)
        assert len(given.board.orders) == 1  # the other files of the change may be still to come
        await mounted.look(always=False)
        assert (given.board.current, mounted.wrong) == (digest(bundle_of(folder)), "")

    asyncio.run(story())


def test_what_only_the_check_finds_is_refused_of_the_folder_at_a_start_and_while_running(folder: Path) -> None:
    given, rules = Given(), folder / "rules" / "quick.yaml"
    good, never = rules.read_bytes(), quick(**NEVER)["rules/quick.yaml"]

    async def story() -> None:
        rules.write_bytes(never)
        with pytest.raises(RefusedError, match=r": rule `waiting`: `expr` can never be true$") as refused:
            await given.folder(folder).first()
        assert str(refused.value).startswith(f"{rules}:16:")
        rules.write_bytes(good)
        mounted = given.folder(folder)
        await mounted.first()
        in_force = given.board.current
        rules.write_bytes(never)
        await looked(mounted)
        await mounted.look(always=True)  # SIGHUP asks again
        assert [one.why for one in given.refusals] == ["faults", "faults"]
        assert (given.board.current, len(given.board.orders)) == (in_force, 1)

    asyncio.run(story())


def test_rules_in_force_that_would_be_refused_now_are_worked_by_and_that_is_said(folder: Path) -> None:
    given, never = Given(), quick(**NEVER)

    async def doubts() -> list[str]:
        mounted = given.folder(folder)
        await mounted.first()
        with capture_logs() as said:
            await mounted.doubt()
        assert {one["log_level"] for one in said} <= {"warning"}
        return [one["error"] for one in said]

    async def story() -> None:
        await given.give(never, order(never))  # as a version did that found nothing
        (folder / "rules" / "quick.yaml").write_bytes(never["rules/quick.yaml"])
        (said,) = await doubts()
        assert said.startswith("rules/quick.yaml:16:")
        assert given.board.current == digest(never)
        (folder / "rules" / "quick.yaml").write_bytes(quick(**EDIT)["rules/quick.yaml"])
        assert await doubts() == []
        assert given.board.current == digest(quick(**EDIT))

    asyncio.run(story())
    assert not given.refusals


def test_a_worker_that_starts_later_takes_the_newest_and_its_folder_only_when_that_is_news(folder: Path) -> None:
    given = Given()

    async def story() -> None:
        await given.folder(folder).first()
        first = given.board.current
        await given.give(quick(**EDIT), order(quick(**EDIT)))
        await given.folder(folder).first()  # known, and older: somebody's stale mount
        assert given.board.current == digest(quick(**EDIT))
        mounted = given.folder(folder)
        await mounted.look(always=True)  # SIGHUP says so
        assert given.board.current == first
        news = quick(**{"uses_1d >= 3": "uses_1d >= 4"})
        (folder / "rules" / "quick.yaml").write_bytes(news["rules/quick.yaml"])
        await given.folder(folder).first()
        assert given.board.current == digest(bundle_of(folder))

    asyncio.run(story())
    assert not given.refusals


def test_a_rule_file_whose_name_is_no_text_is_refused_with_its_name_and_the_worker_goes_on(folder: Path) -> None:
    given = Given()
    mounted = given.folder(folder)

    async def story() -> None:
        await mounted.first()
        (folder / "rules" / os.fsdecode(b"\xd7\xca.yaml")).write_bytes(b"version: 1\ngroups: []\n")
        await looked(mounted)
        await looked(mounted)  # told once
        assert [one.why for one in given.refusals] == ["faults"]
        assert "\\udcd7\\udcca.yaml:1:1: the file's name is no UTF-8" in str(given.refusals[0])
        with pytest.raises(RefusedError, match="no UTF-8"):
            await Given().folder(folder).first()

    asyncio.run(story())
    assert len(given.board.orders) == 1


@pytest.mark.parametrize("text", [b"version: 1\ngroups: [", quick(**NEVER)["rules/quick.yaml"]], ids=["load", "check"])
def test_a_worker_that_starts_with_a_bad_folder_goes_on_by_the_rules_in_force(folder: Path, text: bytes) -> None:
    given, rules = Given(), folder / "rules" / "quick.yaml"
    good = rules.read_bytes()

    async def story() -> None:
        await given.give(quick(), order(quick()))
        rules.write_bytes(text)
        mounted = given.folder(folder)
        await mounted.first()
        await looked(mounted)
        assert [one.why for one in given.refusals] == ["faults"]
        assert str(given.refusals[0]).startswith(f"{rules}:")
        assert mounted.wrong == str(given.refusals[0])
        assert given.board.current == digest(quick())
        rules.write_bytes(good)
        await mounted.look(always=False)
        assert mounted.wrong == ""  # what is in force is there again

    asyncio.run(story())
    assert len(given.refusals) == len(given.board.orders) == 1


def test_settings_that_need_a_restart_by_order_do_not_keep_a_worker_from_starting(folder: Path) -> None:
    given = Given()
    other = changed(quick(), "recheck: 24h", "recheck: 12h")

    async def give(files: dict[str, bytes], asked: Order) -> None:
        with given.board.library.offering(files):
            admitted(asked, 7, given.board.current, given.board.library)

    async def story() -> None:
        await given.give(quick(), order(quick()))
        (folder / "churn.yaml").write_bytes(other["churn.yaml"])
        await Folder(folder, given.board, give, given.refused, accept).first()

    asyncio.run(story())
    assert [one.why for one in given.refusals] == ["settings"]
    assert digest(other) not in given.board.library.bundles  # so that the next look takes it for news


def test_a_folder_that_is_moved_away_or_deleted_and_comes_back_is_seen(folder: Path) -> None:
    given, old, new = Given(), folder.with_name("old"), folder.with_name("new")
    shutil.copytree(folder, new)
    (new / "rules" / "quick.yaml").write_bytes(quick(**EDIT)["rules/quick.yaml"])
    happened = asyncio.Event()

    async def give(files: dict[str, bytes], asked: Order) -> None:
        await given.give(files, asked)
        happened.set()

    def refused(error: RefusedError, _: None) -> None:
        given.refused(error, None)
        happened.set()

    async def next_one() -> None:
        await asyncio.wait_for(happened.wait(), 60)
        happened.clear()

    async def story() -> None:
        mounted = Folder(folder, given.board, give, refused, accept)
        await mounted.first()
        happened.clear()
        looking = asyncio.create_task(mounted.run())
        folder.rename(old)
        new.rename(folder)
        await next_one()
        assert given.board.current == digest(quick(**EDIT))
        shutil.rmtree(folder)
        await next_one()
        assert "the file is missing" in str(given.refusals[-1])
        old.rename(folder)
        await next_one()
        assert given.board.current == digest(quick())
        folder.rename(old)
        folder.symlink_to(old)  # the same files: no news
        before = len(given.board.orders), len(given.refusals)
        await looked(mounted)
        assert (len(given.board.orders), len(given.refusals)) == before
        happened.clear()  # no look may have come between the two names
        folder.unlink()
        folder.symlink_to(folder.with_name("nowhere"))
        await next_one()
        assert given.board.current == digest(quick())
        assert not looking.done()
        looking.cancel()

    asyncio.run(story())
    assert [one.why for one in given.refusals] == ["faults", "faults"]


@pytest.mark.parametrize("at", ["running", "start"])
def test_a_folder_that_was_away_for_a_while_undoes_nothing(folder: Path, at: str) -> None:
    given, away = Given(), folder.with_name("away")
    in_force = quick(**EDIT)

    async def story() -> None:
        await given.give(quick(), order(quick()))
        mounted = given.folder(folder)
        if at == "running":
            await mounted.first()
        await given.give(in_force, order(in_force))  # from elsewhere: churn rules apply
        folder.rename(away)
        if at == "start":
            await mounted.first()
        await looked(mounted)
        assert mounted.wrong == str(given.refusals[0])
        away.rename(folder)
        await looked(mounted)
        assert (given.board.current, mounted.wrong) == (digest(in_force), "")
        await mounted.look(always=True)  # unless somebody asks for it
        assert given.board.current == digest(quick())

    asyncio.run(story())
    assert len(given.refusals) == 1


def test_a_disk_that_is_full_for_a_while_refuses_no_rules(folder: Path) -> None:
    given, full = Given(), [True, True]

    def read_on_a_full_disk(place: Path) -> Configuration:
        if full:
            full.pop()
            raise OSError(28, "No space left on device")
        return accept(place)

    async def story() -> None:
        await given.give(quick(), order(quick()))
        mounted = Folder(folder, given.board, given.give, given.refused, read_on_a_full_disk)
        await mounted.first()
        (folder / "rules" / "quick.yaml").write_bytes(quick(**EDIT)["rules/quick.yaml"])
        with capture_logs() as said:
            await looked(mounted)
            await mounted.look(always=False)
        assert (full, len(said), given.board.current) == (
            [],
            1,
            digest(quick()),
        )  # said once, however often it is tried
        await mounted.look(always=False)
        assert given.board.current == digest(quick(**EDIT))

    asyncio.run(story())
    assert not given.refusals


def test_a_mount_whose_link_is_swapped_is_seen(tmp_path: Path) -> None:
    """As Kubernetes changes a ConfigMap: names that stay lead through `..data`, which is replaced."""
    given, mount = Given(), tmp_path / "mount"
    mount.mkdir()
    for name, files in (("..1", quick()), ("..2", quick(**EDIT))):
        written(files, mount / name)
    (mount / "..data").symlink_to("..1")
    for name in ("rules", *(path.name for path in (mount / "..1").glob("*.yaml"))):
        (mount / name).symlink_to(f"..data/{name}")

    async def story() -> None:
        mounted = given.folder(mount)
        await mounted.first()
        assert given.board.current == digest(quick())
        (mount / "..swap").symlink_to("..2")
        (mount / "..swap").rename(mount / "..data")
        await looked(mounted)

    asyncio.run(story())
    assert given.board.current == digest(quick(**EDIT))


def test_rules_that_cannot_be_made_known_now_are_tried_again(folder: Path) -> None:
    given, down = Given(), [KafkaTimeoutError()]

    async def give(files: dict[str, bytes], asked: Order) -> None:
        if down:
            raise down.pop()
        await given.give(files, asked)

    async def story() -> None:
        await given.give(quick(), order(quick()))
        mounted = Folder(folder, given.board, give, given.refused, accept)
        await mounted.first()
        (folder / "rules" / "quick.yaml").write_bytes(quick(**EDIT)["rules/quick.yaml"])
        await looked(mounted)
        assert (given.board.current, down) == (digest(quick()), [])
        await mounted.look(always=False)
        assert given.board.current == digest(quick(**EDIT))

    asyncio.run(story())
    assert not given.refusals


def test_rules_that_this_start_found_free_of_faults_are_not_doubted_again(folder: Path) -> None:
    asked: list[Path] = []

    def counted(place: Path) -> Configuration:
        asked.append(place)
        return accept(place)

    async def story() -> None:
        given = Given()
        mounted = Folder(folder, given.board, given.give, given.refused, counted)
        await mounted.first()
        await mounted.doubt()
        assert len(asked) == 1
        await Folder(folder, given.board, given.give, given.refused, counted).doubt()  # a later start's
        assert len(asked) == 2

    asyncio.run(story())
