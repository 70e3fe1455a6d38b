"""The result of a provider's health check."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class HealthCheckResult:
    """The health of one component of an application.

    Attributes:
        component: The name of the component.
        status: Whether the component can do its work.
        message: The reason if it cannot, else an empty string.

    Example:
        >>> HealthCheckResult("http", "healthy").is_healthy
        True
    """

    component: str
    status: Literal["healthy", "unhealthy"]
    message: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether the component can do its work."""
        return self.status == "healthy"
