"""What `railhttp` exports: every documented name, and nothing by accident."""

import ast
import importlib
import inspect
import pickle
import subprocess
import sys
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import pytest

import railhttp
from railhttp.events import Observer

# Type checkers read the stub, which has the names and not these tables.
NAMES: Final[Mapping[str, tuple[str, ...]]] = vars(railhttp)["_NAMES"]
MOVED: Final[Mapping[str, tuple[str, ...]]] = vars(railhttp)["_MOVED"]
RENAMED: Final[Mapping[str, str]] = vars(railhttp)["_RENAMED"]

DOCUMENTED = """
BaseURLHTTPClient ConnectionPool ConnectionPoolConfig HTTPClient HTTPClientConfig
HTTPClientProtocol HTTPModule HTTPProvider HTTPRequestSentHook HTTPResponseReceivedHook
InterceptorChainProtocol InterceptorProtocol RequestCompletedEvent RequestContext
RequestRetryExhaustedEvent RequestTimeoutEvent ResponseContext StreamContext
build_url extract_json_type format_timeout merge_headers parse_headers parse_url_parts
validate_host validate_port validate_positive_int validate_timeout validate_url
HTTPCircuitOpenError HTTPClientError HTTPConnectionError HTTPInterceptorError
HTTPRetryExhaustedError HTTPTimeoutError
HttpResponse ServerSentEvent HTTPError HTTPStatusError HTTPFailure RetryPolicy CircuitBreaker
CircuitBreakerRegistry ResiliencePipeline InterceptorChain RetryPolicyProtocol
CircuitBreakerProtocol ResiliencePipelineProtocol CircuitBreakerRegistryProtocol
MetricsRecorderProtocol ContainerRegistrarProtocol ContainerResolverProtocol HealthCheckResult
DynamicModule Module module
""".split()  # noqa: SIM905  # names read better as text


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_name_is_exported(name: str) -> None:
    assert name in dir(railhttp)


HEART = """
HTTPClient BaseURLHTTPClient HTTPClientConfig HttpResponse RequestOptions HTTPFailure Delivery
HTTPInvalidRequestError HTTPConnectionError HTTPTimeoutError HTTPStatusError HTTPDecodeError
HTTPResponseTooLargeError HTTPInterceptorError HTTPCircuitOpenError HTTPRetryExhaustedError
RetryPolicy ResiliencePipeline
""".split()  # noqa: SIM905  # names read better as text

BESIDE: Final = {
    # the second name of a documented class, and the root of what `validate_*` raises
    *("HttpStatusError", "HTTPValidationError"),
    # protocols beyond the documented ones
    *("CircuitBreakerControlProtocol", "Clock", "InstrumentProtocol", "ObservationProtocol"),
    *("StateStore", "__version__"),
}


def test_the_front_page_has_the_documented_names_and_the_heart() -> None:
    assert set(dir(railhttp)) == {*DOCUMENTED, *HEART, *BESIDE}


def test_dir_shows_public_names_only() -> None:
    assert dir(railhttp) == sorted(vars(railhttp)["__all__"])


@pytest.mark.parametrize(
    ("old", "new", "module"),
    [
        *((name, name, module) for module, names in MOVED.items() for name in names),
        ("Dispatch", "RequestStarted", "railhttp.events"),
        ("Ending", "RequestFinished", "railhttp.events"),
    ],
)
def test_a_name_that_moved_still_works_with_a_warning(old: str, new: str, module: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"import {new} from {module}"):
        value = getattr(railhttp, old)
    assert value is getattr(importlib.import_module(module), new)


@pytest.mark.parametrize("name", dir(railhttp))
def test_every_exported_class_and_function_is_documented(name: str) -> None:
    value = getattr(railhttp, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_the_http_status_error_has_two_names() -> None:
    assert railhttp.HttpStatusError is railhttp.HTTPStatusError


PLACES = [(name, module) for module, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("name", "module"), PLACES)
def test_a_name_is_the_real_object(name: str, module: str) -> None:
    value = getattr(railhttp, name)
    assert value is getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        assert pickle.loads(pickle.dumps(value)) is value


def test_the_stub_has_the_same_names_from_the_same_modules() -> None:
    stub = Path(inspect.getfile(railhttp)).with_suffix(".pyi")
    imports = [one for one in ast.parse(stub.read_text()).body if isinstance(one, ast.ImportFrom)]
    seen = {(one.module, alias.name) for one in imports for alias in one.names}
    tables = (*NAMES.items(), *MOVED.items())
    names = {(module, name) for module, names in tables for name in names}
    assert seen == names | {("railhttp.events", name) for name in RENAMED.values()}


@pytest.mark.parametrize(
    ("program", "heavy"),
    [
        (
            "railhttp.HTTPClient()",
            {
                *("railhttp.di", "railhttp.events", "railhttp.resilience", "msgspec"),
                *("railhttp.client.future_verbs", "railhttp.client.stream_context"),
                *("railhttp.wire.sse", "returns.future"),
            },
        ),
        ("railhttp.HTTPClientProtocol", {"railhttp.client.http_client", "railhttp.di", "returns"}),
        ("import railhttp.railway", {"aiohttp", "msgspec", "railhttp.model.events"}),
        ("from railhttp import *", {"aiohttp", "railhttp.testing", "railhttp.transport.exchange"}),
    ],
)
def test_a_program_loads_nothing_that_most_do_without(program: str, heavy: set[str]) -> None:
    program = f"import sys, railhttp; {program}; print(*{heavy} & sys.modules.keys())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


def test_a_star_import_gives_every_name() -> None:
    names: dict[str, object] = {}
    exec("from railhttp import *", names)
    assert set(dir(railhttp)) <= names.keys()


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'railhttp' has no attribute 'Sesion'"):
        getattr(railhttp, "Sesion")  # noqa: B009  # mypy would refuse it, as it should


@pytest.mark.parametrize("client", [railhttp.HTTPClient, railhttp.BaseURLHTTPClient])
def test_a_container_can_read_what_a_client_is_made_of(client: type[object]) -> None:
    assert typing.get_type_hints(client.__init__)["observers"] == Iterable[Observer]


@pytest.mark.parametrize(
    "names", ["", "; railhttp.HTTPFailure", "; from railhttp import HTTPClient, ConnectionPool"]
)
def test_an_import_loads_no_aiohttp(names: str) -> None:
    program = f"import sys, railhttp{names}; print('aiohttp' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    assert shown.split() == ["False"]


CALL_OF_A_NEW_CLIENT: Final = """
import asyncio, sys
from railhttp import HTTPClient

async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    client = HTTPClient()
    loaded = {*sys.modules}
    async with client, asyncio.timeout(60):
        result = await client.get(f"http://{host}:{port}/", params={"a": 1})
        failed = await client.get("http://127.0.0.1:1/", retries=0)
    server.close()
    print(result.unwrap().text, failed.failure().label, {*sys.modules} - loaded)

asyncio.run(main())
"""


def test_a_call_loads_nothing_because_its_client_has_loaded_all_of_it() -> None:
    command = [sys.executable, "-c", CALL_OF_A_NEW_CLIENT]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "{} connect set()\n"
