"""Redaction of URLs and header fields, for errors, logs and spans."""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Final

MASK: Final = "***"

_CREDENTIALS: Final = """
    authorization proxy-authorization x-authorization x-forwarded-authorization authentication
    cookie set-cookie cookie2 set-cookie2
    api-key apikey x-api-key x-apikey x-api-secret x-api-token api-token dd-api-key
    dd-application-key x-access-key x-auth-key x-functions-key x-goog-api-key
    x-rapidapi-key x-algolia-api-key
    x-redmine-api-key x-octopus-apikey ocp-apim-subscription-key x-master-key
    access-token auth-token client-secret csrf-token private-token deploy-token job-token token
    secret x-token x-secret x-client-secret x-password x-session-id x-session-token
    x-access-token x-auth-token x-forwarded-access-token x-id-token x-identity-token x-jwt
    x-jwt-assertion x-jwt-token x-refresh-token x-security-token x-service-token x-user-token
    x-csrf-token x-csrftoken x-xsrf-token xsrf-token
    x-amz-security-token x-amzn-oidc-accesstoken x-amzn-oidc-data x-aws-ec2-metadata-token
    x-goog-iap-jwt-assertion x-ms-token-aad-access-token x-ms-token-aad-id-token
    x-ms-token-aad-refresh-token cf-access-client-secret cf-access-jwt-assertion
    x-consul-token x-nomad-token x-vault-token circle-token x-figma-token x-gitlab-token
    x-github-token x-honeycomb-team x-plex-token x-registry-auth x-shopify-access-token
    x-telegram-bot-api-secret-token x-webhook-secret
    x-access-key-id x-admin-token x-api-auth x-apikey-token x-app-token x-application-key
    x-auth x-authentication x-authentication-token x-authorization-token x-bearer-token
    x-client-token x-cookie x-credential x-credentials x-csrf x-xsrf x-device-token
    x-firebase-appcheck x-goog-iam-authorization-token x-hasura-admin-secret x-hub-secret
    x-key x-parse-master-key x-parse-rest-api-key x-parse-session-token x-pat x-private-key
    x-private-token x-proxy-authorization x-refreshtoken x-secret-key x-secret-token x-session
    x-sessionid x-signing-secret x-subscription-key x-subscription-token x-user-key
    x-vercel-oidc-token x-typesense-api-key x-meili-api-key x-emby-token x-mediabrowser-token
    access-key api-secret apitoken app-key app-token application-key auth authtoken bearer
    client-token credentials id-token jwt password private-key refresh-token secret-key
    secret-token session session-id session-token subscription-key x-api-key-id user-token
    x-jenkins-token jenkins-crumb x-okta-session-token x-ibm-client-secret x-rundeck-auth-token
    x-metabase-session x-sentry-auth x-auth-email-token dd-access-token nr-api-key x-query-key
    x-insert-key x-license-key x-subject-token x-service-authorization x-storage-token
    x-openstack-auth-token x-trino-extra-credential x-line-token x-slack-token anthropic-api-key
    openai-api-key azure-api-key x-algolia-application-token x-cg-pro-api-key x-cmc_pro_api_key
"""

SECRET_HEADERS: Final = frozenset(_CREDENTIALS.split())
"""Header names, in lower case, whose values are never shown and never sent to another origin."""

_URL_HEADERS: Final = frozenset({"location", "content-location", "referer"})
_SHOWABLE_PATH: Final = r"/[^@]*|[^:@]*(:\d*(/[^:@]*)?)?"
_SHOWABLE_SCHEME: Final = r"[^:@]*:?"
_SHOWABLE_AUTHORITY: Final = r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]\\]+)(:\d*)?"

_PAIR: Final = r"""[!-"$%'-<>?A-~]++=[!-"$%'-?A-~]*+"""
_USUAL: Final = re.compile(
    rf"""https?://[A-Za-z0-9.-]++(?::[0-9]++)?+(?:/[!-"$-)+->A-~]*+)?+(?:\?{_PAIR}(?:&{_PAIR})*+)?+"""
)
"""A URL without user-info and fragment, whose query consists of pairs only."""
_VALUE: Final = re.compile(r"=[^&]*")


def redact_url(url: str) -> str:
    """Remove user-info and fragment from a URL, and mask its query values.

    Any text is accepted, because an error has to name a URL that could not be parsed. If the
    authority is not clearly `host` or `host:port`, it is masked with everything after it.
    Redacting the result again changes nothing.

    Example:
        >>> redact_url("https://ann:s3cret@api.example/v1?token=abc&page#top")
        'https://api.example/v1?token=***&***'
        >>> redact_url("https://ann:p/w@api.example/")
        'https://***'
    """
    if _USUAL.fullmatch(url):  # as almost all are, at half the price
        head, mark, query = url.partition("?")
        return f"{head}?{_VALUE.sub(f'={MASK}', query)}" if mark else url
    head, mark, query = url.partition("#")[0].partition("?")
    text = _redact_head(head)
    if not text.endswith(MASK):  # a `?` within a password makes its end look like a query
        text += mark + "&".join(map(_redact_pair, query.split("&")))
    return text if text.isprintable() else re.sub(r"[^ -~]", "\N{REPLACEMENT CHARACTER}", text)


def _redact_head(head: str) -> str:
    scheme, separator, rest = head.partition("//")
    if not separator:
        return head if re.fullmatch(_SHOWABLE_PATH, head) else MASK
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2]
    if not re.fullmatch(_SHOWABLE_SCHEME, scheme):
        return f"{MASK}//{MASK}"
    is_doubled = authority.endswith(":") and path.startswith("/")  # https://https://ann:s3cret@…
    if is_doubled or not re.fullmatch(_SHOWABLE_AUTHORITY, host):
        return f"{scheme}//{MASK}"
    return f"{scheme}//{host}{slash}{path}"


def _redact_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if equals and "@" not in name:
        return f"{name}={MASK}"
    return MASK if name else ""


def redact_headers(
    headers: Mapping[str, str], secret: Iterable[str] = SECRET_HEADERS
) -> dict[str, str]:
    """Mask the values of secret header fields, and the secrets in those that hold a URL.

    Args:
        secret: Names, in lower case, of the fields to mask.

    Example:
        >>> redact_headers({"Accept": "*/*", "Authorization": "Bearer abc"})
        {'Accept': '*/*', 'Authorization': '***'}
    """
    names = frozenset(secret)
    return {name: redact_header(name, value, names) for name, value in headers.items()}


def redact_header(name: str, value: str, secret: Set[str]) -> str:
    """Redact the value of one header field; see `redact_headers`."""
    folded = name.lower()
    if folded in secret:
        return MASK
    return redact_url(value) if folded in _URL_HEADERS else value


def redacted_repr(value: object, **replaced: object) -> str:
    """Return the usual `repr` of a dataclass or named tuple, with some fields replaced."""
    names: Iterable[str] = (
        [field.name for field in fields(value) if field.repr]
        if is_dataclass(value)
        else getattr(value, "_fields", ())
    )
    parts = [f"{name}={replaced.get(name, getattr(value, name))!r}" for name in names]
    return f"{type(value).__name__}({', '.join(parts)})"
