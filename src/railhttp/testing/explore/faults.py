"""Sets of faults to explore with: `faults.all() | faults.statuses(402, 409)`."""

from dataclasses import replace
from typing import Final

from railhttp.model.errors import HTTPValidationError
from railhttp.testing.explore.catalogue import KINDS, USUAL_STATUSES
from railhttp.testing.explore.fault import Fault, Faults
from railhttp.testing.explore.front import FaultyServer, Located, is_playable
from railhttp.testing.explore.schedule import Schedule

__all__ = ["Fault", "Faults", "all", "named", "on_sockets", "play", "statuses"]


def all() -> Faults:  # noqa: A001  # read as `faults.all()`
    """Return every fault that can happen to a call of any API.

    The set has all kinds and phases, the usual statuses and the spoilt bodies, in both worlds (the
    server acted, or it did not) if both are possible. They last, so a retry does not help. A lost
    response of a server that acted is included `once` as well, because a retry then acts twice.

    Example:
        >>> [str(fault) for fault in all() if fault.name in {"dns", "disconnected"}]
        ['dns', 'disconnected', 'disconnected, acted', 'disconnected, acted, once']
    """
    return _ALL


def statuses(*codes: int) -> Faults:
    """Return responses with these statuses and no body.

    A 5xx comes in both worlds, see `Fault`.

    Args:
        *codes: The statuses, 200 to 599.

    Raises:
        HTTPValidationError: A number is not such a status.

    Example:
        >>> print(statuses(409, 503))
        409; 503; 503, acted
    """
    for code in codes:
        if code not in range(200, 600):
            raise HTTPValidationError(f"must be from 200 to 599, got {code!r}", field="codes")
    return Faults(fault for code in codes for fault in _both(str(code)))


def named(*texts: str) -> Faults:
    """Return the faults with these texts.

    Args:
        *texts: Texts of faults, such as `disconnected, acted`.

    Raises:
        HTTPValidationError: The catalogue does not have one of them.

    Example:
        >>> len(named("dns", "disconnected, acted"))
        2
    """
    return Faults(map(Fault.parse, texts))


def on_sockets() -> Faults:
    """Return the faults of `all()` that `play` can show on a real socket.

    Example:
        >>> Fault("disconnected", acted=True) in on_sockets(), Fault("dns") in on_sockets()
        (True, False)
    """
    return Faults(fault for fault in _ALL if is_playable(fault))


def play(server: Located | str, schedule: Schedule | None = None) -> FaultyServer:
    """Return a real server on loopback that plays a schedule in front of another server.

    Args:
        server: The server that replies to all requests that do not fail, or the URL of its root.
        schedule: The faults; none if omitted.

    Returns:
        An async context manager; give the program its `url` instead of the server's.

    Raises:
        HTTPValidationError: A socket cannot show the schedule, or the URL is not one of HTTP.

    Example:
        >>> import asyncio
        >>> from railhttp import HTTPClient
        >>> async def main() -> str:
        ...     schedule = Schedule.parse("GET /users/7: 404")
        ...     async with play("http://127.0.0.1:1", schedule) as front, HTTPClient() as client:
        ...         return str((await client.get(f"{front.url}/users/7")).failure().message)
        >>> asyncio.run(main())
        'status 404'
    """
    return FaultyServer(server, schedule or Schedule())


def _both(name: str) -> list[Fault]:
    """Return the variants of a fault that can happen."""
    stages = Fault.parse(name).kind.stages
    return [Fault(name, acted) for acted in (False, True) if stages[acted] is not None]


_HEALED_BY_RETRIES: Final = frozenset(
    {"disconnected", "timeout read", "truncated", "500", "502", "503", "504"}
)


def _variants(name: str) -> list[Fault]:
    lasting = _both(name)
    once = [replace(fault, once=True) for fault in lasting if fault.acted]
    return [*lasting, *(once if name in _HEALED_BY_RETRIES else ())]


_ALL: Final = Faults(
    fault for name in (*KINDS, *map(str, USUAL_STATUSES)) for fault in _variants(name)
)
