"""The profile of `make properties`: more examples, new ones each time.

Otherwise the examples are the same each time, see `addopts` in pyproject.toml.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "search",
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "1000")),
    suppress_health_check=[HealthCheck.too_slow],
)
