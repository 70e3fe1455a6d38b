"""Passes the outages of shared stores to the instruments of a client."""

from typing import TYPE_CHECKING

from railhttp.pipeline.observation.listeners import Instruments
from railhttp.pipeline.policies.store import StoreServerProtocol, server_of
from railhttp.pipeline.stack import Stack

if TYPE_CHECKING:
    from railhttp.model.events import StoreEvent


class StoreWatch:
    """Listens to the servers of a client's shared stores while the client is started.

    An outage that lasts when the client starts is reported then.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._servers: list[StoreServerProtocol] = []
        self._is_started = False

    def add(self, stack: Stack) -> None:
        """Listen to the servers of some policies, too."""
        for policy in (stack.retry, stack.rate_limit, stack.breaker):
            server = server_of(policy)
            if server is not None and server not in self._servers:
                self._servers.append(server)
                if self._is_started:
                    self._listen(server)

    def start(self) -> None:
        """Begin to listen; may be called twice."""
        if not self._is_started:
            self._is_started = True
            for server in self._servers:
                self._listen(server)

    def stop(self) -> None:
        """Listen no more."""
        self._is_started = False
        for server in self._servers:
            server.listeners.discard(self._report)

    def states(self) -> dict[str, bool]:
        """Return whether each store can be used, by its name."""
        states: dict[str, bool] = {}
        for server in self._servers:
            states[server.name] = server.up and states.get(server.name, True)
        return states

    def _listen(self, server: StoreServerProtocol) -> None:
        server.listeners.add(self._report)
        if server.outage is not None:
            self._report(server.outage)

    def _report(self, event: "StoreEvent") -> None:
        listeners = self._instruments.listening()
        if listeners is not None:
            listeners.event_occurred(event)
