"""The private names of aiohttp that this room uses, and the releases that it is tested with.

The only public way to send a request is `ClientSession.request`. Going below it takes about 0.6
times the CPU time per request (benchmarks: one request), and avoids aiohttp's hidden second send.
The price is this table: a new aiohttp may rename any of these names.
tests/transport/test_aiohttp_internals.py keeps the table complete, so change it with the code.
"""

import re
import warnings
from collections.abc import Mapping
from importlib import import_module
from types import CodeType
from typing import Final

import aiohttp

TESTED_SINCE: Final = (3, 14)
TESTED_BEFORE: Final = (3, 15)
TESTED_RANGE: Final = ">={}.{},<{}.{}".format(*TESTED_SINCE, *TESTED_BEFORE)
"""The range as pip writes it. The dependency in pyproject.toml is wider: it never blocks a fix."""

PRIVATE_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "aiohttp.connector:TCPConnector": (
        "_acquired",  # connections in use, the taken places of waiters among them
        "_acquired_per_host",
        "_available_connections",
        "_cleanup",  # closes idle connections when their time is over
        "_cleanup_handle",
        "_close",
        "_closed",
        "_conns",  # idle connections by key, oldest first
        "_create_connection",
        "_create_direct_connection",  # resolves the name, and tries its addresses
        "_create_proxy_connection",
        "_factory",  # builds the protocol of a new connection
        "_force_close",
        "_get",
        "_limit",
        "_limit_per_host",
        "_loop",
        "_release",
        "_release_acquired",
        "_release_waiter",
        "_resolve_host",
        "_start_tls_connection",
        "_update_proxy_auth_header_and_build_proxy_req",
        "_wait_for_available_connection",
        "_waiters",
        "_get_fingerprint",
        "_get_ssl_context",
        "_wrap_create_connection",  # connects to one of some addresses
        "_wrap_existing_connection",  # TLS, if any, over a connected socket
    ),
    "aiohttp.connector:Connection": ("_protocol",),
    "aiohttp.client_proto:ResponseHandler": (
        "_buffer",  # responses that are parsed but not read yet
        "_drain_helper",
        "_drop_timeout",
        "_exception",
        "_parser",
        "_pause_transport_reading",
        "_resume_transport_reading",
        "_paused",  # whether the transport's write buffer is full
        "_payload",  # the body that is being received
        "_payload_parser",
        "_read_bufsize",
        "_read_timeout",
        "_read_timeout_handle",
        "_reading_paused",
        "_should_close",
    ),
    "aiohttp.http_parser:HttpResponseParserPy": ("_lines", "_tail"),
    "aiohttp.streams:StreamReader": ("_buffer", "_read_nowait"),
}
"""Modules and classes, with the private names of each that this room reads or overrides."""


def missing_names(names: Mapping[str, tuple[str, ...]] = PRIVATE_NAMES) -> list[str]:
    """Return the names of the table that the installed aiohttp does not have."""
    return [
        f"{place}.{name}"
        for place, members in names.items()
        for name in members
        if not _has(place, name)
    ]


def _has(place: str, name: str) -> bool:
    module, _, kind = place.partition(":")
    try:
        owner: object = getattr(import_module(module), kind)
    except (ImportError, AttributeError):
        return False
    if hasattr(owner, name):
        return True
    # Most are attributes of instances. Building one takes an event loop, so the code of
    # `__init__` is searched instead.
    bases = owner.__mro__ if isinstance(owner, type) else ()
    codes = (getattr(vars(base).get("__init__"), "__code__", None) for base in bases)
    return any(isinstance(code, CodeType) and name in code.co_names for code in codes)


def problem(version: str, missing: list[str]) -> str | None:
    """Return a warning about the installed aiohttp, or None if it is a tested one."""
    number = re.match(r"(\d+)\.(\d+)", version)
    tested = number and TESTED_SINCE <= (int(number[1]), int(number[2])) < TESTED_BEFORE
    if tested and not missing:
        return None
    lacks = f" and lacks {', '.join(missing)}" if missing else ""
    return (
        f"railhttp uses private names of aiohttp and is tested with aiohttp {TESTED_RANGE}; "
        f"aiohttp {version} is installed{lacks}: install a tested release, or a newer railhttp"
    )


def warn_if_untested() -> None:
    """Warn if the installed aiohttp is outside the tested range, or lacks a name of the table."""
    if message := problem(aiohttp.__version__, missing_names()):
        warnings.warn(message, RuntimeWarning, stacklevel=2)
