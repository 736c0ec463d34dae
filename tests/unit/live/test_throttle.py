"""What clients log over and over."""

from __future__ import annotations

import logging

from streams.live import throttle
from streams.live.throttle import Throttle


class Log:
    """What comes through, at a time of the test's own."""

    def __init__(self) -> None:
        self.at = 0.0
        self.throttle = Throttle(lambda: self.at)

    def say(self, message: str, *given: object, name: str = "aiokafka") -> str | None:
        record = logging.LogRecord(name, logging.ERROR, "", 0, message, given, None)
        return record.getMessage() if self.throttle.filter(record) else None


def test_the_same_is_said_once_a_minute_with_how_often_it_was_not() -> None:
    log = Log()
    assert log.say("no node %s", 1) == "no node 1"
    log.at = 59.9
    assert [log.say("no node %s", node) for node in (1, 2, 3)] == [None, None, None]
    log.at = 60.0
    assert log.say("no node %s", 4) == "no node 4 (and 3 more like it since it was last said)"
    log.at = 120.0
    assert log.say("no node %s", 5) == "no node 5"


def test_what_is_not_the_same_is_not_held_back() -> None:
    log = Log()
    assert log.say("no node %s", 1) == "no node 1"
    assert log.say("100% of nodes") == "100% of nodes"
    assert log.say("no node %s", 1, name="faust") == "no node 1"


def test_what_is_never_said_again_is_forgotten() -> None:
    log = Log()
    for number in range(throttle.MOST_KINDS):
        log.say(f"once {number}")
    log.at = 60.0
    log.say("later")
    assert len(log.throttle.said) == 1
