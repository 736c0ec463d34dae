"""Puts a complaint into words: a template of its cause, filled in, with an opening, a close and the usual sloppiness."""

from __future__ import annotations

from types import ModuleType

from simulator import phrases_en, phrases_zh
from simulator.arrays import Random


def _one(options: tuple[str, ...], random: Random) -> str:
    return options[int(random.integers(0, len(options)))]


def _fill(template: str, fee: float, book: ModuleType, random: Random) -> str:
    return template.format(
        days=int(random.integers(2, 16)),
        times=int(random.integers(2, 6)),
        minutes=int(random.integers(15, 75)),
        years=int(random.integers(2, 16)),
        day=int(random.integers(8, 24)),
        small=int(random.integers(1, 9)),
        yuan=int(random.integers(8, 90)),
        fee=round(fee),
        more=round(fee * 1.15) + 3,
        less=max(9, round(fee * 0.55)),
        place=_one(book.PLACES, random),
        city=_one(book.CITIES, random),
    )


def complaint(cause: str, chinese: bool, fee: float, angry: bool, random: Random) -> str:
    """What a customer on a plan of `fee` yuan writes about a cause (or `other`); the angry sometimes threaten to go."""
    book = phrases_zh if chinese else phrases_en
    stem = _fill(_one(book.COMPLAINTS[cause], random), fee, book, random)
    opener = _fill(_one(book.OPENERS, random), fee, book, random)
    closer = _one(book.THREATS if angry and random.random() < 0.3 else book.CLOSERS, random)
    if chinese:
        text = f"{opener}{stem}{_one(('。', '，', '！', '。'), random) if closer else ''}{closer}"
        return text.replace("，", " ").replace("。", " ").strip() if random.random() < 0.15 else text
    if not opener or opener[-2:] in (". ", ": "):
        stem = stem[0].upper() + stem[1:]
    text = f"{opener}{stem}{_one(('.', '!', '.', '..'), random) if closer else ''}{closer}"
    return text.lower() if random.random() < 0.2 else text


def remark(topic: str, chinese: bool, random: Random) -> str:
    """A few words in a survey: about a cause, or `good`, or `other`."""
    return _one((phrases_zh if chinese else phrases_en).REMARKS[topic], random)
