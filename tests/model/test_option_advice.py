"""Names of other clients' options lead to what takes their place here."""

from typing import Final

import pytest

from railhttp.model.option_advice import advice

INSTEAD: Final = {
    # requests and httpx
    "verify": "`ssl_context`",
    "cert": "`load_cert_chain`",
    "proxies": "`proxy`",
    "files": "`post_multipart`",
    "stream": "`client.stream`",
    "hooks": "interceptors or observers",
    "content": "`data`",
    "extensions": "`timeout`",
    "follow_redirects": "`allow_redirects`",
    "base_url": "HTTPClient(base_url=...)",
    # urllib3
    "body": "`data`",
    "fields": "`post_multipart`",
    "redirect": "`allow_redirects`",
    "preload_content": "`client.stream`",
    # aiohttp and others
    "query": "`params`",
}


@pytest.mark.parametrize(("name", "instead"), INSTEAD.items())
def test_the_name_of_another_client_leads_to_ours(name: str, instead: str) -> None:
    text = advice(name)
    assert text.startswith(f"{name}: is not an option of a call: ")
    assert instead in text


@pytest.mark.parametrize(("name", "near"), [("header", "headers"), ("time_out", "timeout")])
def test_a_name_that_is_nearly_right_is_corrected(name: str, near: str) -> None:
    assert advice(name).endswith(f"; did you mean `{near}`?")


def test_a_name_like_no_other_is_shown_only() -> None:
    assert advice("qqqq") == "qqqq: unexpected keyword argument 'qqqq'"
