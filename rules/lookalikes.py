"""Characters that Chinese input methods, Excel and WPS put where plain ones are meant."""

from __future__ import annotations

import unicodedata
from typing import Final

FULL_WIDTH: Final = dict(
    zip(
        "，：；（）“”‘’％＜＞＝！＆｜【】、。＋－＊／．０１２３４５６７８９　",
        ",:;()\"\"''%<>=!&|[],.+-*/.0123456789 ",
        strict=True,
    )
)
"""What each stands for."""
INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"


SIGNS: Final = {"≥": ">=", "≧": ">=", "≤": "<=", "≦": "<=", "≠": "!=", "×": "*", "÷": "/", "−": "-", "–": "-", "—": "-"}
WORDS: Final = {"且": "and", "或": "or", "非": "not"}
_MONEY: Final = "¥￥$€£"


def mend(text: str) -> str:
    """`; full-width `：`: write `:`` to append to a message about the text, for the first such character; or nothing."""
    return next((f"; {said}" for character in text if (said := _mend_of(character))), "")


def mend_of_condition(character: str) -> str:
    """What to write instead of a character of a condition, the signs and words of a Chinese keyboard too; or nothing."""
    if plain := SIGNS.get(character) or WORDS.get(character):
        return f"write `{plain}` instead of `{character}`"
    if character in _MONEY:
        return f"write the unit after the number, as in `30 元`, instead of `{character}`"
    return _mend_of(character)


def in_chinese_numerals(text: str) -> bool:
    """Whether a text is a number such as 五十, and not digits."""
    return bool(text) and all(one.isalpha() and unicodedata.numeric(one, None) is not None for one in text)


def _mend_of(character: str) -> str:
    if character in INVISIBLE:
        return f"an invisible character (U+{ord(character):04X}) stands in it: delete it"
    if character == "\u00a0":
        return "a blank that is none (U+00A0) stands in it: write a plain one"
    plain = FULL_WIDTH.get(character) or unicodedata.normalize("NFKC", character)
    if plain != character and plain.isascii() and plain.isprintable():
        return f"full-width `{character}`: write `{plain}`"
    return ""
