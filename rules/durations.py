"""Spans of time as authors write them (`90d`, `1d12h`, `30m`), held as whole microseconds like every time in the engine."""

from __future__ import annotations

import re

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_UNITS = {"w": 7 * DAY, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_PATTERN = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_LONGEST = 3650 * DAY
_IN_WORDS = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+|[\u4e00-\u9fff]+)", re.ASCII)
_WORDS = {
    "w week weeks 周 星期": 7 * DAY,
    "d day days 天 日": DAY,
    "h hour hours 小时 时": HOUR,
    "m min mins minute minutes 分钟 分": MINUTE,
    "s sec second seconds 秒": SECOND,
}


class Duration(int):
    """A span of time in microseconds; written with w, d, h, m, s as Prometheus does, or 0."""

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Raises ValueError with a message for the author."""
        found = _PATTERN.fullmatch(text.strip())
        if text.strip() == "0":
            return cls(0)
        if not text.strip() or found is None:
            raise ValueError(f"`{text}` is no span of time: write it like 30m, 24h, 7d or 1d12h{_meant(text)}")
        total = sum(int(number) * size for number, size in zip(found.groups(), _UNITS.values(), strict=True) if number)
        if total > _LONGEST:
            raise ValueError(f"`{text}` is longer than ten years")
        return cls(total)

    def __str__(self) -> str:
        """The shortest way to write it."""
        return _written(self, "dhms")


def _written(span: int, units: str) -> str:
    parts, left = "", int(span)
    for unit in units:
        if left >= _UNITS[unit]:
            parts += f"{left // _UNITS[unit]}{unit}"
            left %= _UNITS[unit]
    return parts or "0"


def _meant(text: str) -> str:
    """What a span in other words is here: `3 天` and `3 days` are 3d, `1.5d` is 1d12h; or nothing."""
    found = _IN_WORDS.fullmatch(text.strip().lower())
    size = next((size for words, size in _WORDS.items() if found and found[2] in words.split()), 0)
    total = float(found[1]) * size if found else 0.0
    return f"; here {Duration(total)}" if 0 < total <= _LONGEST and total.is_integer() else ""


class WorkingTime(int):
    """A span of working time in microseconds, for deadlines: hours, minutes and seconds only, as a day is ambiguous."""

    @classmethod
    def parse(cls, text: str) -> WorkingTime:
        """Raises ValueError with a message for the author."""
        if re.search(r"[dw]", text):
            raise ValueError(f"`{text}`: a deadline counts hours and minutes: write 16h for two days of eight hours")
        return cls(Duration.parse(text))

    def __str__(self) -> str:
        """As it has to be written, without days."""
        return _written(self, "hms")


class UtcOffset(int):
    """Local time minus UTC in microseconds, written +08:00."""

    @classmethod
    def parse(cls, text: str) -> UtcOffset:
        """Raises ValueError with a message for the author."""
        found = re.fullmatch(r"([+-])(\d\d):(\d\d)", text.strip(), re.ASCII)
        if found is None or int(found[2]) > 14 or int(found[3]) > 59:
            raise ValueError(f"`{text}` is no offset from UTC: write it like +08:00, in quotes")
        return cls((int(found[2]) * HOUR + int(found[3]) * MINUTE) * (-1 if found[1] == "-" else 1))
