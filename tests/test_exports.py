"""What `railhttp` exports: every documented name, and nothing by accident."""

import ast
import importlib
import inspect
import pickle
import subprocess
import sys
import types
import typing
from collections.abc import Iterable

import pytest

import railhttp

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
    assert name in railhttp.__all__


def test_all_lists_exactly_the_public_names() -> None:
    public = {
        name
        for name in dir(railhttp)
        if not name.startswith("_") and not isinstance(getattr(railhttp, name), types.ModuleType)
    }
    assert public == set(railhttp.__all__) - {"__version__"}


@pytest.mark.parametrize("name", railhttp.__all__)
def test_every_exported_class_and_function_is_documented(name: str) -> None:
    value = getattr(railhttp, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_the_http_status_error_has_two_names() -> None:
    assert railhttp.HttpStatusError is railhttp.HTTPStatusError


@pytest.mark.parametrize(("name", "module"), railhttp._LATER.items())
def test_a_name_that_is_loaded_later_is_the_real_object(name: str, module: str) -> None:
    value = getattr(railhttp, name)
    assert value is getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        assert value.__module__ == module
        assert pickle.loads(pickle.dumps(value)) is value


def test_type_checkers_take_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(inspect.getsource(railhttp))
    (branch,) = [
        one
        for one in tree.body
        if isinstance(one, ast.If) and ast.unparse(one.test) == "typing.TYPE_CHECKING"
    ]
    imports = [one for one in branch.body if isinstance(one, ast.ImportFrom)]
    assert len(imports) == len(branch.body)
    seen = {alias.name: one.module for one in imports for alias in one.names}
    assert seen == railhttp._LATER


def test_importing_railhttp_loads_nothing_that_most_programs_do_without() -> None:
    later = {*railhttp._LATER.values(), "railhttp.client.future_verbs", "returns.future"}
    program = f"import sys, railhttp; print(*{later} & sys.modules.keys())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


def test_a_star_import_gives_every_name() -> None:
    names: dict[str, object] = {}
    exec("from railhttp import *", names)
    assert set(railhttp.__all__) <= names.keys()


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'railhttp' has no attribute 'Sesion'"):
        getattr(railhttp, "Sesion")  # noqa: B009  # mypy would refuse it, as it should


@pytest.mark.parametrize("client", [railhttp.HTTPClient, railhttp.BaseURLHTTPClient])
def test_a_container_can_read_what_a_client_is_made_of(client: type[object]) -> None:
    assert typing.get_type_hints(client.__init__)["observers"] == Iterable[railhttp.Observer]
