"""The gauges of a client: its pool, its circuit breakers and its shared stores, at one moment."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

CircuitState: TypeAlias = Literal["closed", "open", "half_open"]
"""The public name of a state; forced open counts as open."""


class PoolGauges(NamedTuple):
    """The connections of a pool.

    Attributes:
        open: The number of open connections, in use or idle.
        idle: The number of those that no request uses.
        waiting: The number of requests that wait for a connection.
        limit: The largest number of open connections.
    """

    open: int
    idle: int
    waiting: int
    limit: int


class ClientGauges(NamedTuple):
    """The gauges of a client.

    Attributes:
        client: The `service_name` of the client; empty without one.
        pool: The connections of its pool; None if an `exchange` replaces it.
        breakers: The state of each circuit by its name, as of its last call.
        stores: Whether each shared store can be used, by its name.
    """

    client: str
    pool: PoolGauges | None
    breakers: Mapping[str, CircuitState]
    stores: Mapping[str, bool] = MappingProxyType({})


GaugeSource: TypeAlias = Callable[[], ClientGauges | None]
"""Returns the gauges of a client at this moment; None while the client is not started."""


@runtime_checkable
class GaugeWatcherProtocol(Protocol):
    """Reads gauges whenever they are collected; an instrument or a recorder may be one.

    Example:
        >>> class Watcher:
        ...     def watch(self, source: GaugeSource) -> None: ...
        >>> isinstance(Watcher(), GaugeWatcherProtocol)
        True
    """

    def watch(self, source: GaugeSource, /) -> None:
        """Collect the gauges of one more client; called when the client is built.

        The client owns the source: keep it weakly if the watcher may outlive the client.
        """
        ...
