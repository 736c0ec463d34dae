"""How Redis is reached, and what is said when it is not: one line, one exception, never the password."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sinks.queues import keys

DEFAULT_URL = "redis://127.0.0.1:6379/0"
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""Whoever waits keeps the warnings: better to say soon that Redis is gone than to hang."""
SCHEMES = ("redis", "rediss", "unix")
OPTIONS = frozenset(
    ("db", "ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
)
"""What may stand behind the `?` of the URL."""


class QueuesUnavailableError(Exception):
    """Redis is gone, refuses us or cannot take more: keep what there is and try again. Nothing is half done."""


class QueueUrlError(Exception):
    """CHURN_REDIS_URL cannot be used as it is written."""


def from_environment(environment: Mapping[str, str] = os.environ) -> redis.Redis:
    """The Redis of CHURN_REDIS_URL, or of the URL in the file that CHURN_REDIS_URL_FILE names; as `connect`."""
    url, file = environment.get("CHURN_REDIS_URL"), environment.get("CHURN_REDIS_URL_FILE")
    if file:
        try:
            url = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise QueueUrlError(f"CHURN_REDIS_URL_FILE: {file} cannot be read") from error
    return connect(url or DEFAULT_URL)


def connect(url: str) -> redis.Redis:
    """A client that connects when it is first used; raises QueueUrlError.

    Threads may share it. It tries each command once: repeating is the caller's, who knows what may be repeated.
    """
    parts = checked(url)
    secure: dict[str, Any] = {"ssl_check_hostname": True} if parts.scheme == "rediss" else {}
    try:
        return redis.Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,  # the answers of both protocols differ in shape; this one every server has
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **secure,
        )
    except ValueError as error:
        raise QueueUrlError("CHURN_REDIS_URL: a value behind the ? cannot be read") from error


def checked(url: str) -> SplitResult:
    """The parts of a URL; raises QueueUrlError, whose message holds nothing of the URL's secrets."""
    usage = "CHURN_REDIS_URL: write it like redis://user:password@host:6379/0 (rediss:// for TLS)"
    encode = ", with what is special in the password percent-encoded (/ as %2F, # as %23, @ as %40)"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise QueueUrlError(usage + encode) from None
    if parts.scheme not in SCHEMES:
        raise QueueUrlError(usage)
    database = parts.path.strip("/")
    if parts.fragment or (parts.scheme != "unix" and database and not database.isdecimal()) or port == 0:
        raise QueueUrlError(usage + encode)
    for option in parse_qs(parts.query, keep_blank_values=True):
        if option not in OPTIONS:
            raise QueueUrlError(f"CHURN_REDIS_URL: behind the ? only {', '.join(sorted(OPTIONS))} are known")
    return parts


def address(client: redis.Redis) -> str:
    """Where a client connects to, such as 127.0.0.1:6379/0."""
    given = client.connection_pool.connection_kwargs
    if "path" in given:
        return str(given["path"])
    return f"{given.get('host', 'localhost')}:{given.get('port', 6379)}/{given.get('db', 0)}"


def known(client: redis.Redis) -> list[str]:
    """The names of all queues; raises redis.RedisError."""
    return sorted(str(name) for name in client.smembers(keys.QUEUES))


@contextmanager
def reached(client: redis.Redis) -> Iterator[None]:
    """Turns whatever goes wrong with Redis in what it holds into QueuesUnavailableError."""
    try:
        yield
    except redis.RedisError as error:
        raise QueuesUnavailableError(f"Redis at {address(client)} {said(error)}") from error


def said(error: redis.RedisError) -> str:
    """What is wrong, in one line."""
    text = " ".join(str(error).split())
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if isinstance(error, redis.exceptions.NoPermissionError):
        return f"does not permit it: {text}"
    if isinstance(error, redis.ConnectionError):
        return f"cannot be reached: {text}"
    return f"refused: {text}"


_WORDS: tuple[tuple[type[redis.RedisError], str], ...] = (
    (redis.AuthenticationError, "does not accept the user or the password of CHURN_REDIS_URL"),
    (redis.exceptions.AuthenticationWrongNumberOfArgsError, "does not accept the user or the password"),
    (redis.exceptions.BusyLoadingError, "is still loading its data"),
    (redis.exceptions.ReadOnlyError, "is a replica that cannot be written"),
    (redis.exceptions.OutOfMemoryError, "has no memory left (maxmemory)"),
    (redis.TimeoutError, f"gave no answer within {ANSWER_SECONDS:.0f} s"),
)
