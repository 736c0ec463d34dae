"""Reaching Redis, and what is said when it is not reached."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from support.programs import needs
from support.redis_server import RedisServer, free_port, needs_redis
from support.warnings_made import TIERS, cleared, warning

from sinks.queues import connection, keys, scripts
from sinks.queues.connection import QueuesUnavailableError, QueueUrlError, connect, from_environment
from sinks.queues.delivery import Delivery
from sinks.queues.looking import Queues
from sinks.queues.outbox import Outbox
from sinks.queues.work import Resolution, Work

SECRET = "s3cr/t#"
ENCODED = "s3cr%2Ft%23"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server with a password, and a user who may use what docs/queue.md says is needed."""
    needs_redis()
    with RedisServer(tmp_path_factory.mktemp("guarded"), "--requirepass", SECRET) as server:
        with connect(f"redis://:{ENCODED}@127.0.0.1:{server.port}/0") as admin:
            admin.acl_setuser(
                "churn", enabled=True, passwords=[f"+{SECRET}"], keys=["churn:*"],
                categories=["+@read", "+@write", "+@scripting", "+@connection"], commands=["+time"],
            )  # fmt: skip
            admin.acl_setuser("reader", enabled=True, passwords=["+reader"], keys=["churn:*"], categories=["+@read"])
        yield server


@pytest.mark.parametrize("who", ["", "churn"])
def test_a_password_and_a_user_of_the_access_list_are_enough(guarded: RedisServer, who: str) -> None:
    with connect(f"redis://{who}:{ENCODED}@127.0.0.1:{guarded.port}/0") as client:
        assert Delivery(client, TIERS).deliver([warning(f"of {who}")]).new == 1
        work = Work(client)
        work.claim(f"of {who}", "li")
        work.release(f"of {who}", "li")
        assert Outbox(client).read() == []


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("", "does not accept the user or the password of CHURN_REDIS_URL"),
        (":wrong-pass@", "does not accept the user or the password of CHURN_REDIS_URL"),
        ("nobody:wrong-pass@", "does not accept the user or the password of CHURN_REDIS_URL"),
        ("reader:reader@", "does not permit it: "),
    ],
)
def test_who_is_refused_is_told_in_one_line_without_the_password(guarded: RedisServer, who: str, said: str) -> None:
    client = connect(f"redis://{who}127.0.0.1:{guarded.port}/3")
    with pytest.raises(QueuesUnavailableError) as refused:
        Delivery(client, TIERS).deliver([warning()])
    text = str(refused.value)
    assert text.startswith(f"Redis at 127.0.0.1:{guarded.port}/3 {said}")
    assert "\n" not in text
    assert "wrong-pass" not in text


def test_a_server_that_is_not_there_is_one_exception_for_every_step() -> None:
    client = connect(f"redis://:wrong-pass@127.0.0.1:{free_port()}/0")
    steps: list[Callable[[], object]] = [
        lambda: Delivery(client, TIERS).deliver([warning()]),
        lambda: Delivery(client, TIERS).register(["care"]),
        lambda: Work(client).claim("w1", "li"),
        lambda: Work(client).claim_next("li"),
        lambda: list(Queues(client).listed()),
        lambda: Queues(client).counts(),
        lambda: Queues(client).resume("care"),
        lambda: Outbox(client).read(),
        lambda: Outbox(client).waiting(),
    ]
    for step in steps:
        with pytest.raises(QueuesUnavailableError, match=r"127\.0\.0\.1:\d+/0 cannot be reached: .*refused"):
            step()


def test_a_full_server_is_unavailable_and_takes_nothing_in_part(tmp_path: Path) -> None:
    needs_redis()
    with RedisServer(tmp_path, "--maxmemory", "3mb") as server, connect(server.url) as client:
        delivery = Delivery(client, TIERS)
        with pytest.raises(QueuesUnavailableError, match="has no memory left"):
            delivery.deliver([warning(f"w{number}") for number in range(10_000)])
        assert client.xlen(keys.stream("care")) == len(list(Queues(client).listed(states=["ready"])))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1:6379",
        "redis://:sec/ret@127.0.0.1:6379/0",
        "redis://:sec#ret@127.0.0.1:6379/0",
        "redis://:sec?ret@127.0.0.1:6379/0",
        "redis://user:secret@127.0.0.1:port/0",
        "redis://user:secret@127.0.0.1:6379/zero",
        "redis://user:secret@127.0.0.1:99999/0",
        "redis://user:secret@[::1/0",
        "redis://user:secret@127.0.0.1:6379/0?no_such_option=1",
        "redis://user:secret@127.0.0.1:6379/0?db=x",
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_what_is_in_it(url: str) -> None:
    with pytest.raises(QueueUrlError) as refused:
        connect(url)
    assert "CHURN_REDIS_URL" in str(refused.value)
    for secret in ("secret", "sec", "ret"):
        assert secret not in str(refused.value).replace("user:password", "").split("CHURN_REDIS_URL")[1]


def test_tls_is_used_and_the_server_is_checked(tmp_path: Path) -> None:
    needs_redis()
    needs("openssl", "openssl")
    certificate = tmp_path / "server.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "server.key"),
         "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    port = str(free_port())
    options = ("--tls-port", port, "--port", "0", "--tls-auth-clients", "no", "--tls-cert-file", str(certificate),
               "--tls-key-file", str(tmp_path / "server.key"), "--tls-ca-cert-file", str(certificate))  # fmt: skip
    with RedisServer(tmp_path, *options):
        with connect(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}") as client:
            assert Delivery(client, TIERS).deliver([warning()]).new == 1
        for url in (
            f"rediss://localhost:{port}/0",  # nobody vouches for it
            f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}",  # it is somebody else
        ):
            with pytest.raises(QueuesUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
                Queues(connect(url)).names()
        with pytest.raises(QueuesUnavailableError):
            Queues(connect(f"redis://localhost:{port}/0")).names()


def test_the_url_can_be_in_a_file(guarded: RedisServer, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"redis://churn:{ENCODED}@127.0.0.1:{guarded.port}/0\n")
    with from_environment({"CHURN_REDIS_URL_FILE": str(file)}) as client:
        Queues(client).names()

    with pytest.raises(QueueUrlError, match=r"CHURN_REDIS_URL_FILE: .*nowhere cannot be read"):
        from_environment({"CHURN_REDIS_URL_FILE": str(tmp_path / "nowhere")})


def test_a_server_that_hangs_is_unavailable_and_takes_all_once_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_redis()
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.3)
    batch = [warning(f"w{number}") for number in range(300)]
    with RedisServer(tmp_path) as server, connect(server.url) as client:
        delivery = Delivery(client, TIERS)
        delivery.register(["care"])
        server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(QueuesUnavailableError, match="gave no answer"):
            delivery.deliver(batch)
        server.process.send_signal(signal.SIGCONT)
        delivery.deliver(batch)
        assert client.xlen(keys.stream("care")) == Queues(client).counts()["care"].ready == len(batch)


def test_a_node_of_a_cluster_is_enough_for_a_queue(tmp_path: Path) -> None:
    """A cluster refuses scripts whose keys lie on different slots; this one has all slots, and checks that too."""
    needs_redis()
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with RedisServer(tmp_path, *options) as server, connect(server.url) as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            pass
        delivery, work = Delivery(client, TIERS), Work(client)
        delivery.deliver([warning("w1"), warning("w2"), warning("w3")])
        work.claim_next("li", tiers=["warning"])
        delivery.deliver([warning("w1", 2, queue="high-value", tier="critical"), cleared("w2")])
        work.resolve("w3", Resolution(outcome="callback"), "li")
        assert [(item.warning_id, item.queue, item.state) for item in work.queues.listed()] == [
            ("w1", "high-value", "claimed"),
            ("w3", "care", "later"),
        ]
        Outbox(client).done(Outbox(client).read())


def test_every_script_is_one_that_redis_can_compile(client: redis.Redis) -> None:
    for name in scripts.NAMES:
        assert client.script_load(scripts.text(name)) == scripts.digest(name)
