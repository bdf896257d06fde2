"""Hypothesis profiles: `default` in the test command, `long` for searches that take their time."""

import os

from hypothesis import HealthCheck, settings

from tests.databases import databases

__all__ = ["databases"]

settings.register_profile(
    "default", deadline=None, max_examples=100, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("RMA_TEST_PROFILE", "default"))
