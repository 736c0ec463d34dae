"""The nearest thing the author may have meant, for messages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

MOST_COMPARED: Final = 20_000
"""Among more names only those are looked for that differ in capitals, width or blanks: comparing takes some 10 µs a name."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when none is near. Case does not matter."""
    return _nearest(word.casefold(), tuple(known))


@lru_cache(maxsize=256)  # files of very many faults mostly have the same ones
def _nearest(folded: str, known: tuple[str, ...]) -> str | None:
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean `x`?` to append to a message, or nothing."""
    found = nearest(word, known)
    return f"; did you mean `{found}`?" if found else ""


def same_name(name: str, known: Sequence[str]) -> str:
    """`; did you mean `x`?` for an id that is written a little otherwise. Ids are much alike: one character, or none of weight."""
    plain = _plain(name)
    found = next((one for one in known if _plain(one) == plain), None)
    if found is None and len(known) <= MOST_COMPARED:
        near = get_close_matches(name, known, n=2, cutoff=1 - 2 / max(2, 2 * len(name) + 1))
        found = near[0] if len(near) == 1 else None
    return f"; did you mean `{found}`?" if found else ""


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
