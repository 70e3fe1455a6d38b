"""Every incoming response has the methods and defaults of the interface."""

from collections.abc import Callable
from inspect import Parameter, signature

import pytest

from railhttp.client.limited_response import LimitedResponse
from railhttp.model.exchange import IncomingResponse
from railhttp.testing.asgi import ASGIResponse
from railhttp.testing.explore.injection import WatchedResponse
from railhttp.testing.scripted.playback import ScriptedResponse
from railhttp.transport.incoming import Incoming

METHODS = ("answer", "call_info", "chunk", "read", "close")


def parameters(function: Callable[..., object]) -> list[tuple[str, object]]:
    """The names and the defaults of parameters."""
    found = signature(function).parameters.values()
    assert all(one.kind is Parameter.POSITIONAL_OR_KEYWORD for one in found)
    return [(one.name, one.default) for one in found]


@pytest.mark.parametrize(
    "response",
    [Incoming, LimitedResponse, ScriptedResponse, WatchedResponse, ASGIResponse],
)
@pytest.mark.parametrize("method", METHODS)
def test_a_response_has_the_methods_and_the_defaults_of_the_interface(
    response: type, method: str
) -> None:
    declared = parameters(getattr(IncomingResponse, method))
    assert parameters(getattr(response, method)) == declared
    assert (method == "answer") is (("body", b"") in declared)
