"""Routes that show or count requests, or respond late, seldom or elsewhere."""

import asyncio
import hashlib
from collections import Counter
from typing import Final, TypeAlias

from aiohttp import BodyPartReader, web

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


class Seen(Counter[str]):
    """How often each key was requested."""


SEEN: Final = web.AppKey("seen", Seen)
ROUTES: Final = web.RouteTableDef()


@ROUTES.route("*", "/get")
@ROUTES.route("*", "/get/{tail:.*}")
async def get(request: web.Request) -> web.Response:
    """The request: method, path, query, headers and body, with repeats and in order."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.path,
            "target": request.raw_path,
            "query": [[name, value] for name, value in request.query.items()],
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": body.decode("utf-8", "surrogateescape"),
        }
    )


@ROUTES.route("*", r"/status/{status:\d{3}}")
async def status(request: web.Request) -> web.Response:
    """The status of the path; the body is thrown away."""
    await request.read()
    return web.Response(status=int(request.match_info["status"]))


@ROUTES.get(r"/users/{id:\d+}")
async def user(request: web.Request) -> web.Response:
    """A user; a number above 100 is a 404."""
    number = int(request.match_info["id"])
    if number > 100:
        return web.json_response({"title": "no such user"}, status=404)
    return web.json_response({"id": number, "name": "Ann"})


@ROUTES.route("*", r"/redirect/{left:\d+}")
async def redirect(request: web.Request) -> web.Response:
    """A number of redirects, with `?status=` (302), and then /get."""
    left = int(request.match_info["left"])
    location = f"/redirect/{left - 1}" if left > 1 else "/get"
    if left > 1 and request.query_string:
        location += f"?{request.query_string}"
    return _moved(request, location)


@ROUTES.route("*", "/redirect-to")
async def redirect_to(request: web.Request) -> web.Response:
    """To `?url=`, with `?status=` (302)."""
    return _moved(request, request.query["url"])


def _moved(request: web.Request, location: str) -> web.Response:
    code = int(request.query.get("status", "302"))
    return web.Response(status=code, headers={"Location": location})


@ROUTES.route("*", "/cookies")
async def cookies(request: web.Request) -> web.Response:
    """The cookies that came, as a JSON object."""
    return web.json_response(dict(request.cookies))


@ROUTES.route("*", "/cookies/set")
async def set_cookies(request: web.Request) -> web.Response:
    """One Set-Cookie for each pair of the query."""
    response = web.json_response(dict(request.query))
    for name, value in request.query.items():
        response.set_cookie(name, value)
    return response


@ROUTES.route("*", r"/slow/{milliseconds:\d+}")
async def slow(request: web.Request) -> web.Response:
    """A response after some milliseconds."""
    await asyncio.sleep(int(request.match_info["milliseconds"]) / 1000)
    return web.Response(text="late")


@ROUTES.route("*", r"/flaky/{key}/{failures:\d+}")
async def flaky(request: web.Request) -> web.Response:
    """`?status=` (503), with `?retry_after=`, for a key's first requests, then 200."""
    await request.read()
    key = request.match_info["key"]
    seen = request.app[SEEN]
    seen[key] += 1
    if seen[key] > int(request.match_info["failures"]):
        return web.json_response({"count": seen[key]})
    wait = request.query.get("retry_after")
    code = int(request.query.get("status", "503"))
    return web.Response(status=code, headers={"Retry-After": wait} if wait else None)


@ROUTES.route("*", "/count/{key}")
async def count(request: web.Request) -> web.Response:
    """How many requests this key has seen, with this one."""
    await request.read()
    key = request.match_info["key"]
    request.app[SEEN][key] += 1
    return web.json_response({"count": request.app[SEEN][key]})


@ROUTES.route("*", "/reset")
async def reset(request: web.Request) -> web.Response:
    """The connection is reset instead of a response."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@ROUTES.route("*", "/upload")
async def upload(request: web.Request) -> web.Response:
    """The parts of a multipart body, each with its size, hash and, if it is one, text."""
    parts: list[dict[str, Json]] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise web.HTTPBadRequest(text="a multipart inside a multipart")
        content = bytes(await part.read())
        parts.append(
            {
                "name": part.name,
                "filename": part.filename,
                "content_type": part.headers.get("Content-Type"),
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "text": _text(content),
            }
        )
    return web.json_response(parts)


def _text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
