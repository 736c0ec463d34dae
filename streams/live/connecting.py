"""Why Kafka cannot be worked with, in one line: the client logs the reason (a wrong password, a closed port) and raises without it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError

from streams.live.topics import TopicsError
from streams.problems import OutsideError


class Reasons(logging.Handler):
    """Keeps the last exception that a client logged."""

    last: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Remember it instead of printing it."""
        found = [one for one in record.args or () if isinstance(one, BaseException)]
        self.last = found[-1] if found else self.last


@contextmanager
def connecting(bootstrap: str) -> Iterator[None]:
    """While the block connects nothing is logged; raises OutsideError with the reason, also for topics that do not fit."""
    client, reasons = logging.getLogger("aiokafka"), Reasons(logging.WARNING)
    propagated, client.propagate = client.propagate, False
    client.addHandler(reasons)
    try:
        yield
    except TopicsError as error:
        raise OutsideError(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise OutsideError(f"Kafka at {bootstrap}: {said(reasons.last or error)}") from error
    finally:
        client.removeHandler(reasons)
        client.propagate = propagated


def said(error: BaseException) -> str:
    """An error in one line."""
    return str(error) or type(error).__name__
