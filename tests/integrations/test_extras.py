"""Packages of extras are imported only by the modules that need them."""

import subprocess
import sys

import pytest

EXTRAS = {
    *("python_socks", "truststore"),
    *("httpx2", "hypothesis", "openapi_pydantic", "opentelemetry", "pydantic", "pytest", "redis"),
    *("prometheus_client", "rich", "svcs"),
}


@pytest.mark.parametrize(
    "name",
    [
        *("railhttp", "railhttp.di", "railhttp.endpoints", "railhttp.testing", "railhttp.doctor"),
        *("railhttp.demo", "railhttp.egress", "railhttp.sync"),
    ],
)
def test_an_import_needs_no_extra(name: str) -> None:
    program = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert not EXTRAS & set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "package", "requirement"),
    [
        ("railhttp.integrations.svcs", "svcs", "railhttp[di]"),
        ("railhttp.integrations.opentelemetry", "opentelemetry", "railhttp[opentelemetry]"),
        ("railhttp.integrations.prometheus", "prometheus_client", "railhttp[prometheus]"),
        ("railhttp.integrations.httpx2", "httpx2", "railhttp[httpx2]"),
        ("railhttp.integrations.redis", "redis", "railhttp[redis]"),
        ("railhttp.testing.strategies", "hypothesis", "hypothesis"),
        ("railhttp.integrations.openapi.command", "openapi_pydantic", "railhttp[openapi]"),
    ],
)
def test_a_package_that_is_missing_is_named_with_what_brings_it(
    module: str, package: str, requirement: str
) -> None:
    hidden = ("import sys", f"sys.modules['{package}'] = None", f"import {module}")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(hidden)], check=False, capture_output=True, text=True
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ModuleNotFoundError: import of {package} halted")
    assert last.endswith(f"pip install '{requirement}'")
