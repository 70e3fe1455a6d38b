"""Authentication: interceptors that add credentials, and send a refused request once more.

Credentials are sent to one origin: the one that `origin` names, or that of the client's base URL. A
client without a base URL sends them to every host that is called.
"""

from railhttp.model.authorization import basic_auth, bearer_auth
from railhttp.model.context import SideClient
from railhttp.model.tokens import OAuthError, Tokens
from railhttp.pipeline.interceptors.again import (
    Again,
    ExchangeInterceptorProtocol,
    ResendingInterceptorProtocol,
)
from railhttp.pipeline.interceptors.digest_auth import DigestAuth
from railhttp.pipeline.interceptors.netrc_auth import NetrcAuth
from railhttp.pipeline.interceptors.oauth2 import (
    OAuth2ClientCredentials,
    OAuth2Refresh,
    TokenStore,
)
from railhttp.pipeline.interceptors.sigv4 import SigV4
from railhttp.pipeline.interceptors.standard import ApiKey, BasicAuth, BearerAuth
from railhttp.pipeline.interceptors.token_auth import TokenAuth

__all__ = [
    "Again",
    "ApiKey",
    "BasicAuth",
    "BearerAuth",
    "DigestAuth",
    "ExchangeInterceptorProtocol",
    "NetrcAuth",
    "OAuth2ClientCredentials",
    "OAuth2Refresh",
    "OAuthError",
    "ResendingInterceptorProtocol",
    "SideClient",
    "SigV4",
    "TokenAuth",
    "TokenStore",
    "Tokens",
    "basic_auth",
    "bearer_auth",
]
