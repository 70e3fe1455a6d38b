"""How the properties are tried: without deadlines, and the same way each time under CI."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "settings",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("settings")
