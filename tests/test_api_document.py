"""The documented API: every name with its parameters, their order and their defaults.

What railhttp adds to a signature is keyword-only and has a default, so it is not shown here.
"""

import inspect
import re
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Final

import pytest

import railhttp

CALLABLES: Final = """
async HTTPClientProtocol.start(self)
async HTTPClientProtocol.stop(self)
async HTTPClientProtocol.request(self, method, url, **)
async HTTPClientProtocol.get(self, url, **)
async HTTPClientProtocol.post(self, url, **)
async HTTPClientProtocol.put(self, url, **)
async HTTPClientProtocol.delete(self, url, **)
async HTTPClientProtocol.patch(self, url, **)
async HTTPClientProtocol.head(self, url, **)

InterceptorChainProtocol.add_interceptor(self, interceptor)
InterceptorChainProtocol.remove_interceptor(self, interceptor)
async InterceptorChainProtocol.process_request(self, context)
async InterceptorChainProtocol.process_response(self, response)
InterceptorChain.add_interceptor(self, interceptor)
InterceptorChain.remove_interceptor(self, interceptor)
async InterceptorChain.process_request(self, context)
async InterceptorChain.process_response(self, response)
async InterceptorProtocol.intercept_request(self, context)
async InterceptorProtocol.intercept_response(self, response)

BaseURLHTTPClient(base_url='', headers=None, timeout=300.0, name='base-url-http-client', \
retry=None, circuit_breaker=None)
async BaseURLHTTPClient.close(self)
async BaseURLHTTPClient.stop(self)
async BaseURLHTTPClient.request(self, method, url, **)
async BaseURLHTTPClient.get(self, url, **)
async BaseURLHTTPClient.post(self, url, data=None, **)
async BaseURLHTTPClient.put(self, url, **)
async BaseURLHTTPClient.delete(self, url, **)
async BaseURLHTTPClient.patch(self, url, **)
BaseURLHTTPClient.stream(self, method, url, **)

ConnectionPool(max_connections=10, max_keepalive_connections=5, max_connections_per_host=10, \
timeout=30.0, ttl_dns_cache=300, force_close=False, verify_ssl=True, proxy=None, trust_env=True, \
cookie_jar=True)
async ConnectionPool.start(self)
async ConnectionPool.stop(self)
ConnectionPool.is_started(self)
async ConnectionPool.warm_up(self, urls)
ConnectionPoolConfig(max_connections=10, max_keepalive_connections=5, \
max_connections_per_host=10, timeout=30.0, ttl_dns_cache=300, force_close=False)

HTTPClient(config=None, pool=None, retry_policy=None, circuit_breaker=None, interceptors=(), \
resilience=None, metrics=None)
async HTTPClient.start(self)
async HTTPClient.stop(self)
async HTTPClient.request(self, method, url, **)
async HTTPClient.get(self, url, **)
async HTTPClient.post(self, url, **)
async HTTPClient.put(self, url, **)
async HTTPClient.delete(self, url, **)
async HTTPClient.patch(self, url, **)
async HTTPClient.head(self, url, **)
async HTTPClient.post_multipart(self, url, fields, **)
HTTPClient.stream(self, method, url, **)
HTTPClient.sse(self, url, **)
HTTPClient.session_context(config=None, retry_policy=None, circuit_breaker=None, interceptors=())

HTTPModule.configure(config=None)
HTTPModule.stub()
HTTPProvider(config=None)
HTTPProvider.from_config(config, **)
async HTTPProvider.register(self, container)
async HTTPProvider.boot(self, container)
async HTTPProvider.shutdown(self)
async HTTPProvider.health_check(self, timeout=5.0)

HTTPRequestSentHook(method, url)
HTTPResponseReceivedHook(method, url, status_code)
StreamContext(resp)
StreamContext.raise_for_status(self)
StreamContext.aiter_lines(self)

build_url(base, path='', params=None)
extract_json_type(content_type)
format_timeout(timeout)
merge_headers(*header_dicts, normalize=True)
parse_headers(headers)
parse_url_parts(url)
validate_host(host)
validate_port(port)
validate_positive_int(value, field='value')
validate_timeout(timeout)
validate_url(url, require_scheme=True)
""".strip()

PROPERTIES: Final = ("HTTPClient.config", "HTTPClient.pool", "StreamContext.status")

VALUES: Final[Mapping[type[object], str]] = {
    railhttp.HTTPClientConfig: "pool proxy trust_env cookie_jar",
    railhttp.RequestContext: "method url headers service_name attempt start_time",
    railhttp.ResponseContext: "status headers content_length duration success error",
}


def shown(line: str, function: object) -> str:
    """What `line` says of a callable, as the code has it."""
    assert callable(function)
    documented = line.partition("(")[2]
    parameters = [
        _shown_parameter(one)
        for one in inspect.signature(function).parameters.values()
        if one.kind is not one.KEYWORD_ONLY or one.default is one.empty or one.name in documented
    ]
    keyword = "async " if inspect.iscoroutinefunction(function) else ""
    return f"{keyword}{_path(line)}({', '.join(parameters)})"


def _shown_parameter(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_KEYWORD:
        return "**"
    stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
    return f"{stars}{parameter.name}{default}"


def _path(line: str) -> str:
    return line.partition("(")[0].removeprefix("async ")


def _found(path: str) -> object:
    return reduce(getattr, path.split("."), railhttp)


@pytest.mark.parametrize("line", [line for line in CALLABLES.split("\n") if line])
def test_a_callable_is_as_documented(line: str) -> None:
    assert shown(line, _found(_path(line))) == line


@pytest.mark.parametrize("path", PROPERTIES)
def test_a_property_is_as_documented(path: str) -> None:
    assert isinstance(_found(path), property)


@pytest.mark.parametrize(("kind", "names"), [*VALUES.items()])
def test_a_value_begins_with_the_documented_attributes(kind: type[object], names: str) -> None:
    documented = names.split()
    assert list(inspect.get_annotations(kind))[: len(documented)] == documented


def test_the_documented_examples_hold() -> None:
    url = railhttp.build_url("https://api.example.com", "/users", {"page": 1})
    assert url == "https://api.example.com/users?page=1"
    assert railhttp.extract_json_type("application/json; charset=utf-8") == "application/json"
    assert railhttp.extract_json_type("text/html") is None
    assert railhttp.format_timeout(30) == "30.0s"
    assert railhttp.format_timeout(None) == "no timeout"
    fields = railhttp.parse_headers({"Content-Type": " application/json "})
    assert fields == {"content-type": "application/json"}
    parts = {"scheme", "host", "port", "path", "params", "fragment"}
    assert railhttp.parse_url_parts("https://h/").keys() == parts


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("HTTPClientError", "HTTPError"),
        ("HTTPCircuitOpenError", "HTTPClientError"),
        ("HTTPConnectionError", "HTTPClientError"),
        ("HTTPInterceptorError", "HTTPClientError"),
        ("HTTPRetryExhaustedError", "HTTPClientError"),
        ("HTTPStatusError", "HTTPClientError"),
        ("HTTPTimeoutError", "HTTPClientError"),
    ],
)
def test_a_documented_error_has_its_base(name: str, base: str) -> None:
    assert issubclass(getattr(railhttp, name), getattr(railhttp, base))


TABLE: Final = Path(__file__).parents[1] / "docs" / "api-document.md"


def test_the_table_has_each_name_and_each_parameter() -> None:
    table = TABLE.read_text(encoding="utf-8")
    first = " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    words = {*re.findall(r"\w+", first)} | {*re.findall(r"^## (.*)$", table, re.MULTILINE)}
    words |= {word for heading in words for word in heading.split()}
    lines = [line for line in CALLABLES.replace("\\\n", "").split("\n") if line]
    names = {word for line in lines for word in re.findall(r"[A-Za-z_]\w+", _shortened(line))}
    documented = names | {word for _, text in VALUES.items() for word in text.split()}
    ignored = {"async", "self", "None", "True", "False", "base", "http", "client", "url"}
    assert documented - words - ignored == set()


def _shortened(line: str) -> str:
    return re.sub(r"='[^']*'", "", line)


def test_the_files_of_the_table_exist() -> None:
    files = re.findall(r"`([\w/]+\.py)`", TABLE.read_text(encoding="utf-8"))
    assert len(files) > 50
    root = Path(inspect.getfile(railhttp)).parent
    assert [file for file in files if not ((root / file).exists() or file.startswith("test"))] == []
