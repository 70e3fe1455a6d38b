"""Name resolution by a function of the user."""

import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from railhttp.model.validation import require_str
from railhttp.transport.names import resolved


class FunctionResolver(AbstractResolver):
    """Calls a function for the addresses of a host, in the form that aiohttp's connector expects.

    Args:
        resolve: See `ConnectionPoolConfig.resolver`.
    """

    def __init__(self, resolve: Callable[[str, int], Awaitable[Sequence[str]]]) -> None:
        self._resolve = resolve

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            # An int would be an address for `ip_address`, too.
            addresses = [
                str(ip_address(require_str(address, "resolver")))
                for address in await self._resolve(host, port)
            ]
        except OSError:
            raise
        except Exception as error:
            # An OSError is what aiohttp expects of a resolver, whatever the function raised.
            raise OSError(f"the resolver raised {type(error).__name__}") from error
        if not addresses:
            raise OSError("the resolver returned no address")
        return [resolved(host, address, port) for address in addresses]

    @override
    async def close(self) -> None:
        """Do nothing: the function belongs to the user."""
