"""What a provider says of its health."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

HealthStatus: TypeAlias = Literal["healthy", "unhealthy"]


@dataclass(frozen=True, slots=True)
class HealthCheckResult:
    """The health of one part of an application.

    Attributes:
        component: Which part.
        status: Whether it can do its work.
        message: Why not, in words; empty where there is nothing to say.

    Example:
        >>> HealthCheckResult("http", "healthy").is_healthy
        True
    """

    component: str
    status: HealthStatus
    message: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether it can do its work."""
        return self.status == "healthy"
