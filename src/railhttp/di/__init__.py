"""Dependency injection: providers, modules, and the protocols of a container."""

from railhttp.di.containers import ContainerRegistrarProtocol, ContainerResolverProtocol
from railhttp.di.health import HealthCheckResult
from railhttp.di.http_module import HTTPModule
from railhttp.di.http_provider import HTTPProvider
from railhttp.di.modules import (
    DynamicModule,
    Module,
    ModuleImport,
    ProviderProtocol,
    module,
    running,
)

__all__ = [
    "ContainerRegistrarProtocol",
    "ContainerResolverProtocol",
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
