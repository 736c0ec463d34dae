"""What the property tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def eager_model() -> Iterator[None]:
    """A model speaks after the first examples, so that short streams see it learn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.model.CALIBRATION_POSITIVES", 1)
        patch.setattr("models.model.FIRST_BLOCK", 1)
        yield
