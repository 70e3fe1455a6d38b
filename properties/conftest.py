"""How the properties are tried: without deadlines, and the same examples each time.

`make properties` tries new random examples, more of them.
"""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))

settings.register_profile(
    "settings",
    deadline=None,
    derandomize=not EXAMPLES,
    max_examples=EXAMPLES or 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("settings")
