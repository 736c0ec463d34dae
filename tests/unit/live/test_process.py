"""What a worker's process does beside the work."""

from __future__ import annotations

import gc

from streams.live.process import load_engines


def test_what_engines_load_is_left_out_of_collections() -> None:
    loaded: list[list[object]] = []
    try:
        load_engines(lambda: loaded.append([]))
        assert not any(one is loaded[0] for one in gc.get_objects())
    finally:
        gc.unfreeze()
    assert any(one is loaded[0] for one in gc.get_objects())
