"""msgspec works out how a type is decoded at its first use, and is not safe when two threads do so at once: the process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec


def prepare() -> None:
    """Work it out for every type there is, so that threads may decode; call before there are any."""
    for struct in structs(msgspec.Struct):
        with suppress(TypeError):  # one that needs help with its types: nobody decodes it without
            msgspec.json.Decoder(struct)


def structs(of: type) -> Iterator[type]:
    """All types below one."""
    found: list[type] = of.__subclasses__()
    for struct in found:
        yield struct
        yield from structs(struct)
