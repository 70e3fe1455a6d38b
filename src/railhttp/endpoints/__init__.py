"""Declared endpoints: an API written down once, each response with its own type."""

from railhttp.endpoints.endpoint import Answered, BoundEndpoint, Endpoint
from railhttp.endpoints.events import BoundEvents, EventFeed, EventsEndpoint
from railhttp.endpoints.openapi import openapi
from railhttp.endpoints.paged import BoundPages, PagedEndpoint
from railhttp.endpoints.parameters import Body, Header, Query
from railhttp.endpoints.service import Service
from railhttp.endpoints.streamed import BoundStream, StreamedEndpoint
from railhttp.endpoints.verbs import delete, get, head, patch, post, put, request

__all__ = [
    "Answered",
    "Body",
    "BoundEndpoint",
    "BoundEvents",
    "BoundPages",
    "BoundStream",
    "Endpoint",
    "EventFeed",
    "EventsEndpoint",
    "Header",
    "PagedEndpoint",
    "Query",
    "Service",
    "StreamedEndpoint",
    "delete",
    "get",
    "head",
    "openapi",
    "patch",
    "post",
    "put",
    "request",
]
