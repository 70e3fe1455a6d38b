"""What `railhttp` exports: every documented name, and nothing by accident."""

import inspect
import types

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
        for name, value in vars(railhttp).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(railhttp.__all__) - {"__version__"}


@pytest.mark.parametrize("name", railhttp.__all__)
def test_every_exported_class_and_function_is_documented(name: str) -> None:
    value = getattr(railhttp, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_the_http_status_error_has_two_names() -> None:
    assert railhttp.HttpStatusError is railhttp.HTTPStatusError
