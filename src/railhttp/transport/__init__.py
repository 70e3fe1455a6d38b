"""Sends one request and receives one response: the only room that imports aiohttp."""

from railhttp.transport.aiohttp_internals import warn_if_untested

warn_if_untested()
