"""`churn queue`: options, output and exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
import redis
from rich.console import Console
from support.redis_server import free_port
from support.warnings_made import SAID, TIERS, warning
from typer.testing import CliRunner, Result

from sinks.queues.delivery import Delivery
from sinks.queues.looking import Queues
from sinks.queues.outbox import Outbox
from sinks.queues.work import Work
from streams.commands.queue_view import COLUMNS, View
from streams.commands.root import app


@pytest.fixture
def stocked(client: redis.Redis) -> redis.Redis:
    """Three items: critical and watch in care, warning in high-value."""
    Delivery(client, TIERS).deliver(
        [
            warning("w1", tier="watch", ack="08:00"),
            warning("w2", tier="critical"),
            warning("w3", queue="high-value", ack="11:00"),
        ]
    )
    return client


class Shell:
    """Runs `churn queue` against the tests' Redis."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        done = CliRunner(env={"CHURN_REDIS_URL": self.url, "COLUMNS": "200", "LANG": "en"}).invoke(
            app, ("queue", *arguments)
        )
        assert done.exit_code == code, done.output
        return done

    def rows(self, *arguments: str) -> list[dict[str, str]]:
        lines = self(*arguments).stdout.splitlines()
        return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]


@pytest.fixture
def shell(redis_url: str) -> Shell:
    return Shell(redis_url)


def test_a_list_in_a_pipe_is_lines_with_tabs_the_most_urgent_first(stocked: redis.Redis, shell: Shell) -> None:
    rows = shell.rows("list")

    assert [row["warning_id"] for row in rows] == ["w2", "w1", "w3"]
    assert rows[2] == {
        "warning_id": "w3", "queue": "high-value", "tier": "warning", "state": "ready",
        "due": "2026-01-01T11:00:00.000000Z", "agent": "", "claimed_until": "", "back_at": "",
        "customer_id": "customer-w3", "cause": "network", "revision": "1", "why": SAID["en"],
    }  # fmt: skip
    assert shell.rows("list", "--language", "zh-CN")[0]["why"] == SAID["zh-CN"]


def test_a_list_can_be_narrowed(stocked: redis.Redis, shell: Shell) -> None:
    shell("claim", "w2", "--agent", "li")

    def listed(*options: str) -> list[str]:
        return [row["warning_id"] for row in shell.rows("list", *options)]

    assert listed("--queue", "high-value") == ["w3"]
    assert listed("--tier", "watch", "--tier", "critical") == ["w1", "w2"]
    assert listed("--claimed") == ["w2"]
    assert listed("--unclaimed") == ["w1", "w3"]
    assert listed("--limit", "1") == ["w1"]


def test_json_holds_the_warning_of_the_contract(stocked: redis.Redis, shell: Shell) -> None:
    items = [json.loads(line) for line in shell("list", "--json").stdout.splitlines()]

    assert [item["warning_id"] for item in items] == ["w2", "w1", "w3"]
    assert items[0]["warning"]["reasons"][0]["text"]["zh-CN"] == SAID["zh-CN"]
    assert (items[0]["state"], items[0]["agent"], items[0]["queue"]) == ("ready", None, "care")


def test_an_item_goes_through_all_hands(stocked: redis.Redis, shell: Shell) -> None:
    (claimed,) = shell.rows("claim", "--agent", "李")
    assert (claimed["warning_id"], claimed["state"], claimed["agent"]) == ("w2", "claimed", "李")
    shell("ack", "w2", "--agent", "李", "--lease", "2h")
    shell("release", "w2")
    shell("claim", "w2", "--agent", "wang")
    shell(
        "resolve", "w2", "--outcome", "retained", "--agent", "wang", "--cause", "network", "--offer", "10 GB",
        "--offer-cost", "12.5", "--note", "信号已修复",
    )  # fmt: skip

    (outcome,) = Outbox(stocked).read()
    event = json.loads(outcome.event)
    assert (event["outcome"], event["agent"], event["cause"], event["offer"], event["offer_cost"], event["note"]) == (
        "retained", "wang", "network", "10 GB", 12.5, "信号已修复",
    )  # fmt: skip


def test_a_callback_is_back_when_it_was_promised(stocked: redis.Redis, shell: Shell) -> None:
    (later,) = shell.rows("resolve", "w1", "--outcome", "callback", "--at", "2100-01-31T15:00:00+08:00")
    assert (later["state"], later["back_at"]) == ("later", "2100-01-31T07:00:00.000000Z")
    (later,) = shell.rows("resolve", "w2", "--outcome", "unreachable", "--after", "2h", "--agent", "li")
    assert later["state"] == "later"


def test_what_cannot_be_done_now_is_1(stocked: redis.Redis, shell: Shell) -> None:
    shell("claim", "w1", "--agent", "li")
    for arguments, said in (
        (("claim", "w1", "--agent", "wang"), "w1 is claimed by li"),
        (("ack", "w1", "--agent", "wang"), "w1 is claimed by li"),
        (("release", "w1", "--agent", "wang"), "w1 is claimed by li"),
        (("resolve", "w1", "--outcome", "retained", "--agent", "wang"), "w1 is claimed by li"),
        (("ack", "w2"), "w2 is not claimed; claim it first"),
        (("claim", "--tier", "nothing"), "nothing to claim"),
    ):
        assert shell(*arguments, code=1).stderr == said + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("claim", "w9"), "w9: no such item in any queue"),
        (("list", "--queue", "vip"), "no queue vip; there are: care, high-value"),
        (("pause", "vip"), "no queue vip; there are: care, high-value"),
        (("claim", "w1", "--tier", "watch"), "give an ID, or --queue and --tier"),
        (("claim", "--lease", "soon"), "--lease: `soon` is no span of time"),
        (("claim", "--lease", "0"), "--lease 0"),
        (("claim", "--agent", " "), "--agent: give a text"),
        (("claim", "--agent", "x" * 129), "--agent: give a text"),
        (("claim", "--agent", "a\tb"), "is no text"),
        (("claim", "\udcff"), "is no text"),
        (("resolve", "w1"), "Missing option '--outcome'"),
        (("resolve", "w1", "--outcome", "sold"), "'sold' is not one of"),
        (("resolve", "w1", "--outcome", "retained", "--cause", "weather"), "'weather' is not one of"),
        (("resolve", "w1", "--outcome", "retained", "--offer-cost", "-1"), "--offer-cost"),
        (("resolve", "w1", "--outcome", "retained", "--offer-cost", "nan"), "--offer-cost"),
        (("resolve", "w1", "--outcome", "retained", "--note", "x" * 4_001), "--note"),
        (("resolve", "w1", "--outcome", "retained", "--note", "\udcff"), "is no text"),
        (("resolve", "w1", "--outcome", "retained", "--after", "2h"), "only with unreachable or callback"),
        (("resolve", "w1", "--outcome", "callback", "--after", "2h", "--at", "2100-01-01T00:00:00Z"), "not both"),
        (("resolve", "w1", "--outcome", "callback", "--at", "2000-01-01T00:00:00Z"), "give a time to come"),
        (("resolve", "w1", "--outcome", "callback", "--at", "2100-01-01T00:00:00"), "give a time to come"),
        (("resolve", "w1", "--outcome", "callback", "--at", "noon"), "give a time to come"),
    ],
)
def test_wrong_usage_is_2_and_changes_nothing(
    stocked: redis.Redis, shell: Shell, arguments: tuple[str, ...], said: str
) -> None:
    assert said in shell(*arguments, code=2).stderr
    assert {item.state for item in Queues(stocked).listed()} == {"ready"}
    assert Outbox(stocked).read() == []


def test_a_redis_that_is_not_there_is_3_and_one_line() -> None:
    shell = Shell(f"redis://:wrong-pass@127.0.0.1:{free_port()}/0")
    for arguments in (
        ("list",), ("claim",), ("claim", "w1"), ("ack", "w1"), ("release", "w1"),
        ("resolve", "w1", "--outcome", "retained"), ("pause", "care"), ("resume", "care"),
    ):  # fmt: skip
        said = shell(*arguments, code=3).stderr
        assert said.startswith("Redis at 127.0.0.1:")
        assert said.count("\n") == 1
        assert "wrong-pass" not in said


def test_a_url_that_is_none_is_2() -> None:
    assert "CHURN_REDIS_URL" in Shell("localhost")("list", code=2).stderr


def test_a_paused_queue_gives_nothing_until_it_is_resumed(stocked: redis.Redis, shell: Shell) -> None:
    shell("pause", "care", "--note", "stock-taking")
    assert "queue care is paused" in shell("claim", "w1", code=1).stderr
    (claimed,) = shell.rows("claim")
    assert claimed["queue"] == "high-value"
    shell("resume", "care")
    (claimed,) = shell.rows("claim")
    assert claimed["queue"] == "care"


def shown(stocked: redis.Redis, language: str) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=160, color_system=None)
    work, view = Queues(stocked), View(console, language, 1_767_254_400.0, as_json=False)  # 2026-01-01T08:00Z
    view.items(work.listed(), "paused: care (stock-taking)")
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_a_terminal_shows_a_table(stocked: redis.Redis) -> None:
    text = shown(stocked, "en")

    assert "paused: care (stock-taking)" in text
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["w2", "w1", "w3"]
    assert "in 2 h" in text
    assert "in 0 s" in text
    assert SAID["en"] in text
    assert SAID["zh-CN"] in shown(stocked, "zh-CN")


def test_a_terminal_shows_all_that_helps_to_act(stocked: redis.Redis) -> None:
    item = Work(stocked).claim("w2", "li")
    console = Console(file=io.StringIO(), force_terminal=True, width=160, color_system=None)
    View(console, "zh-CN", 1_767_254_400.0, as_json=False).item(item, "w2 is yours")
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("w2 is yours", "customer-w2", "critical", SAID["zh-CN"], "安排上门检测", "yours", "for "):
        assert part in text


def test_the_queue_commands_start_without_the_engine() -> None:
    code = "import sys, streams.commands.care_queue; sys.exit(bool({'numba', 'river', 'engine.engine'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_narrow_terminal_shows_the_whole_id_and_why(stocked: redis.Redis) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    View(console, "en", 1_767_254_400.0, as_json=False).items(Queues(stocked).listed(), "")
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.splitlines()[0].split() == ["id", "tier", "due", "who", "why"]
    assert SAID["en"] in text
