"""Cookies: the jar of a pool, and what is in it."""

from railhttp.transport.cookie_jar import CookieFormat, CookieJar
from railhttp.wire.cookies import Cookie
from railhttp.wire.set_cookie import SameSite

__all__ = ["Cookie", "CookieFormat", "CookieJar", "SameSite"]
