"""Dependency injection: providers, modules, and the protocols by which they meet a container."""

from railhttp.di.health import HealthCheckResult
from railhttp.di.http_module import HTTPModule
from railhttp.di.http_provider import HTTPProvider
from railhttp.di.modules import DynamicModule, Module, ModuleImport, ProviderProtocol, module
from railhttp.di.running import running

__all__ = [
    "DynamicModule",
    "HTTPModule",
    "HTTPProvider",
    "HealthCheckResult",
    "Module",
    "ModuleImport",
    "ProviderProtocol",
    "module",
    "running",
]
