"""Quantities as authors write them (`5 GB`, `30 元`, `3 days`, `40%`), and what they are in a feature's own unit.

Data is decimal as in the contract (1 GB = 1,000 MB), a month is 30.4375 days. Counts take the feature's own word, or 次, 件 and so on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rules.hints import did_you_mean

DATA, TIME, SHARE, SPEED, MONEY, PRICE = "data", "time", "a share", "speed", "money", "money for time"
_MONTH: Final = Fraction(487, 16)  # days
_DAY: Final = Fraction(1)
_HOUR: Final = _DAY / 24
_MINUTE: Final = _HOUR / 60
_SECOND: Final = _MINUTE / 60
_MEGABYTE: Final = Fraction(1)


def _all(dimension: str, *rows: tuple[str, Fraction | int]) -> dict[str, tuple[str, Fraction]]:
    return {word: (dimension, Fraction(size)) for words, size in rows for word in words.split()}


UNITS: Final[Mapping[str, tuple[str, Fraction]]] = {
    **_all(DATA, ("B", Fraction(1, 10**6)), ("KB kB", Fraction(1, 1000)), ("MB", 1), ("GB", 1000), ("TB", 10**6)),
    **_all(DATA, ("KiB", Fraction(1024, 10**6)), ("MiB", Fraction(2**20, 10**6)), ("GiB", Fraction(2**30, 10**6))),
    **_all(TIME, ("s sec second seconds 秒", _SECOND), ("min minute minutes 分钟", _MINUTE)),
    **_all(TIME, ("h hour hours 小时", _HOUR), ("d day days 天 日", _DAY), ("w week weeks 周", 7)),
    **_all(TIME, ("month months 个月 月", _MONTH), ("year years 年", _MONTH * 12)),
    **_all(SHARE, ("% percent", Fraction(1, 100)), ("‰", Fraction(1, 1000))),
    **_all(SPEED, ("kbit/s kbps", Fraction(1, 1000)), ("Mbit/s Mbps", 1), ("Gbit/s Gbps", 1000)),
}
"""Each unit's dimension and size; money is added by the currency."""
_YUAN: Final = _all(MONEY, ("元 yuan 块 块钱", 1), ("万元", 10_000), ("角", Fraction(1, 10)), ("分", Fraction(1, 100)))
_CURRENCIES: Final = frozenset(
    [
        "CNY",
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "HKD",
        "MOP",
        "TWD",
        "KRW",
        "SGD",
        "MYR",
        "THB",
        "IDR",
        "VND",
        "PHP",
        "INR",
        "RUB",
        "KZT",
        "AUD",
        "CAD",
        "CHF",
    ]
)
_MEANT: Final = {"RMB": "元", "人民币": "元", "块人民币": "元", "兆": "MB", "M": "MB", "G": "GB", "T": "TB", "K": "KB"}
"""What is meant by words that are no units, or too many."""
_COUNTERS: Final = frozenset(["次", "件", "个", "条", "笔", "份", "张", "人次", "times"])
OF_FEATURES: Final[Mapping[str, tuple[str, Fraction]]] = {
    "MB": (DATA, _MEGABYTE), "s": (TIME, _SECOND), "min": (TIME, _MINUTE), "days": (TIME, _DAY), "weeks": (TIME, Fraction(7)),
    "months": (TIME, _MONTH), "ratio": (SHARE, Fraction(1)), "share": (SHARE, Fraction(1)), "Mbit/s": (SPEED, Fraction(1)),
    "money": (MONEY, Fraction(1)), "money/min": (PRICE, Fraction(1)),
}  # fmt: skip
"""The units of features that other units can be turned into; all others are counts."""
SHARES: Final = frozenset(unit for unit, (dimension, _) in OF_FEATURES.items() if dimension == SHARE)
LARGEST_SHARE: Final = 10.0
"""Beyond 1,000 % a plain number is more likely to lack its `%`."""
_WORD: Final = r"%|‰|[A-Za-z\u4e00-\u9fff]+(?:/[A-Za-z\u4e00-\u9fff]+)?"
_QUANTITY: Final = re.compile(rf"([+-]?\d+(?:\.\d+)?)\s*({_WORD})", re.ASCII)
WITHIN: Final = re.compile(rf"(?<![\w.])(\d+(?:\.\d+)?)[ \t]*({_WORD})(?!\w)")
"""A quantity in the middle of a condition."""
KEYWORDS: Final = frozenset(("and", "or", "not", "in", "is", "if", "else", "j"))  # and imaginary numbers


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, as written."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number}{'' if self.unit in '%‰' else ' '}{self.unit}"

    def dimension(self, currency: str) -> str:
        """What it measures; a count's is its own word. Raises ValueError for a unit that does not exist."""
        return _size(self.unit, currency)[0]

    def within(self, unit: str, currency: str) -> float:
        """The number in a feature's unit. Raises ValueError saying why it cannot be."""
        dimension, size = _size(self.unit, currency)
        wanted = OF_FEATURES.get(unit)
        if wanted is None and _counts(self.unit, unit):
            return float(Fraction(self.number))
        if wanted is None or wanted[0] != dimension:
            raise ValueError(f"`{self}` is {dimension}, but {_called(unit, currency)} is wanted here")
        return float(Fraction(self.number) * size / wanted[1])

    def natural(self, currency: str) -> tuple[float, str]:
        """The number in the unit that features of its kind have, and that unit (empty for a count)."""
        dimension, size = _size(self.unit, currency)
        unit = {DATA: "MB", TIME: "days", SHARE: "ratio", SPEED: "Mbit/s", MONEY: "money"}.get(dimension, "")
        return float(Fraction(self.number) * size), unit


def quantity(text: str) -> Quantity | None:
    """A text as a quantity; None for any other text. Its unit need not exist."""
    found = _QUANTITY.fullmatch(text.strip())
    return None if found is None else Quantity(found[1], found[2])


def too_large_a_share(value: float, *, plain: bool = False) -> str:
    """What to say of a number in the place of a share that seems to lack its `%`, which cannot be written where only `plain`
    numbers stand; empty where there is nothing to say.
    """
    if value <= LARGEST_SHARE:
        return ""
    meant = f"{value / 100:.15g}" if plain else f"{value:.15g}%"
    return f"{value:.15g} here means {value * 100:.15g} %; did you mean {meant}?"


def full_width(text: str) -> str | None:
    """What a text of full-width digits and signs should be, where that is a number or a quantity; else None."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain == text.strip():
        return None
    return plain if re.fullmatch(rf"[+-]?\d+(\.\d+)?\s*({_WORD})?", plain, re.ASCII) else None


def _size(unit: str, currency: str) -> tuple[str, Fraction]:
    money = (_YUAN if currency == "CNY" else {}) | {currency: (MONEY, Fraction(1))}
    if unit in money:
        return money[unit]
    if "/" in unit and (part := unit.partition("/"))[0] in money and UNITS.get(part[2], ("",))[0] == TIME:
        return PRICE, money[part[0]][1] / (UNITS[part[2]][1] / _MINUTE)
    if unit in UNITS:
        return UNITS[unit]
    if unit in _COUNTERS or (unit.isascii() and unit.islower() and len(unit) > 3 and unit.isalpha()):
        return f"a number of {unit}", Fraction(1)
    if unit in _CURRENCIES or unit in _YUAN:
        raise ValueError(f"`{unit}`: the currency of churn.yaml is {currency}")
    meant = _MEANT.get(unit.upper(), "")
    hint = f"; did you mean `{meant}`?" if meant in UNITS or meant in money else did_you_mean(unit, [*UNITS, *money])
    raise ValueError(f"no unit `{unit}`{hint}")


def _counts(written: str, unit: str) -> bool:
    """Whether a word of counting fits a feature that counts `unit`."""
    return bool(unit) and (written in _COUNTERS or written.rstrip("s") == unit.rstrip("s"))


def _called(unit: str, currency: str) -> str:
    if not unit:
        return "a plain number"
    return f"an amount of money ({currency})" if unit == "money" else f"one in {unit}"
