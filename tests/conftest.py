"""Hypothesis profiles: `make test` takes the default; `make fuzz` searches longer.

Tests that set their own size take it from `support.profiles.examples`, so that the profile has its say.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from support.profiles import fuzz_examples

settings.register_profile("default", deadline=None)  # a busy machine is no fault
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=fuzz_examples(),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
