"""
Hypothesis profiles: `default` in the test command, `long` in the longer searches.

The test command draws the same examples each time, so that it fails because of a change and never by chance;
the longer searches draw ten times as many, others each time.
"""

import os

from hypothesis import HealthCheck, settings

from tests.databases import databases

__all__ = ["databases"]

settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", settings.get_profile("default"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("RMA_TEST_PROFILE", "default"))
