"""Proxies of the environment: which variable counts, what NO_PROXY exempts, what is refused."""

import pytest

from railhttp.model.errors import HTTPValidationError
from railhttp.model.proxy import ProxySettings, require_proxy
from railhttp.model.url import request_url

PROXY = "http://proxy.example:3128"


def proxy_for(url: str, **environ: str) -> str | None:
    return ProxySettings.from_environment(environ).proxy_for(request_url(url))


def test_an_empty_environment_has_no_proxies() -> None:
    assert proxy_for("http://h/") is None
    assert proxy_for("https://h/") is None


def test_each_scheme_has_its_own_variable() -> None:
    environ = {"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "https://b:2"}
    assert proxy_for("http://h/", **environ) == "http://a:1"
    assert proxy_for("https://h/", **environ) == "https://b:2"


def test_all_proxy_serves_a_scheme_without_its_own() -> None:
    environ = {"HTTP_PROXY": "http://a:1", "ALL_PROXY": "http://c:3"}
    assert proxy_for("http://h/", **environ) == "http://a:1"
    assert proxy_for("https://h/", **environ) == "http://c:3"


VARIABLES = {
    # A variable, and the proxies for http and https URLs if only that one is set.
    "http_proxy": (PROXY, None),
    "HTTP_PROXY": (PROXY, None),
    "https_proxy": (None, PROXY),
    "HTTPS_PROXY": (None, PROXY),
    "all_proxy": (PROXY, PROXY),
    "ALL_PROXY": (PROXY, PROXY),
    "no_proxy": (None, None),
    "x": (None, None),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_is_read_in_both_cases(name: str) -> None:
    environ = {name: PROXY}
    assert (proxy_for("http://h/", **environ), proxy_for("https://h/", **environ)) == (
        VARIABLES[name]
    )


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "all_proxy"])
@pytest.mark.parametrize("value", [PROXY, "", " "])
def test_a_variable_in_lower_case_wins_over_that_in_upper_case(name: str, value: str) -> None:
    environ = {name: value, name.upper(): "http://upper:1"}
    url = "https://h/" if name == "https_proxy" else "http://h/"
    assert proxy_for(url, **environ) == (value.strip() or None)


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_each_spelling_of_no_proxy_exempts(name: str) -> None:
    environ = {"ALL_PROXY": PROXY, name: "h"}
    assert proxy_for("http://h/", **environ) is None
    assert proxy_for("https://h/", **environ) is None
    assert proxy_for("http://other/", **environ) == PROXY


def test_a_proxy_in_a_variable_may_have_blanks_around_it() -> None:
    assert proxy_for("http://h/", HTTP_PROXY=f" {PROXY}\n") == PROXY


def test_lower_case_wins_over_upper_case() -> None:
    assert proxy_for("http://h/", http_proxy="http://low:1", HTTP_PROXY=PROXY) == "http://low:1"
    assert proxy_for("http://h/", HTTP_PROXY=PROXY, no_proxy="x", NO_PROXY="h") == PROXY


@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_variable_in_lower_case_switches_the_other_off(nothing: str) -> None:
    assert proxy_for("http://h/", http_proxy=nothing, HTTP_PROXY=PROXY) is None


def test_in_a_cgi_program_http_proxy_in_upper_case_is_ignored() -> None:
    cgi = {"REQUEST_METHOD": "GET", "HTTP_PROXY": "http://evil:1"}
    assert proxy_for("http://h/", **cgi) is None
    assert proxy_for("http://h/", **cgi, http_proxy=PROXY) == PROXY
    assert proxy_for("https://h/", **cgi, HTTPS_PROXY=PROXY) == PROXY


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("*", "http://h/"),
        ("example.com", "http://example.com/"),
        ("example.com", "http://api.example.com:8080/"),
        ("EXAMPLE.com.", "http://a.b.example.com./"),
        (".example.com", "http://example.com/"),
        (".example.com", "http://api.example.com/"),
        ("*.example.com", "http://api.example.com/"),
        ("bücher.example", "http://www.xn--bcher-kva.example/"),
        ("x, example.com ,y", "http://example.com/"),
        ("!!,example.com", "http://example.com/"),
        ("example.com:8080", "http://example.com:8080/"),
        ("example.com:80", "http://example.com/"),
        ("*:8080", "http://h:8080/"),
        ("127.0.0.1", "http://127.0.0.1/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("10.0.0.0/8", "http://10.255.0.1/"),
        ("10.1.2.3/8", "http://10.255.0.1/"),
        ("::1", "http://[::1]/"),
        ("[::1]", "http://[0::1]:80/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("fd00::/8", "http://[fd12::1]/"),
        ("a.example b.example", "http://b.example/"),
        ("a.example ,\tb.example:80  c.example", "http://b.example/"),
        (" * ", "http://h/"),
        ("10.0.0.0/8", "http://[::ffff:10.1.2.3]/"),
        ("10.1.2.3", "http://[::ffff:a01:203]/"),
        ("::ffff:10.1.2.3", "http://10.1.2.3/"),
        ("::ffff:10.0.0.0/104", "http://10.1.2.3/"),
        ("::ffff:0:0/96", "http://[::ffff:10.1.2.3]/"),
        ("::/0", "http://[fd12::1]/"),
        ("api.☃.example", "http://API.☃.example/"),
        ("API.☃.example", "http://www.api.xn--n3h.example/"),
        ("other.example 10.0.0.0/8 h", "http://h/"),
        ("[fd00::]/8 h", "http://h/"),
        ("[::ffff:10.1.2.3]", "http://10.1.2.3/"),
        ("[::ffff:10.1.2.3]:80", "http://10.1.2.3/"),
        ("::ffff:10.1.2.3/128", "http://10.1.2.3/"),
        ("::ffff:10.1.2.2/127", "http://10.1.2.3/"),
        ("0.0.0.0", "http://[::ffff:0:0]/"),
        ("::ffff:0:0", "http://0.0.0.0/"),
        ("h:00080", "http://h/"),
        ("h:443", "https://h/"),
    ],
)
def test_no_proxy_exempts(no_proxy: str, url: str) -> None:
    assert proxy_for(url, ALL_PROXY=PROXY, NO_PROXY=no_proxy) is None


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("", "http://h/"),
        (",,", "http://h/"),
        ("example.com", "http://badexample.com/"),
        ("api.example.com", "http://example.com/"),
        ("example.com:8080", "http://example.com/"),
        ("example.com:99999", "http://example.com/"),
        ("example.com:x", "http://example.com/"),
        ("*example.com", "http://example.com/"),
        (".", "http://h/"),
        ("*.", "http://h/"),
        ("127.0.0.1", "http://localhost/"),
        ("0.0.1", "http://127.0.0.1/"),
        ("10.0.0.0/8", "http://11.0.0.1/"),
        ("10.0.0.0/8", "http://host10/"),
        ("10.0.0.0/99", "http://10.0.0.1/"),
        ("fd00::/8", "http://10.0.0.1/"),
        ("\ud800", "http://h/"),
        ("10.0.0.0/8", "http://[::ffff:11.1.2.3]/"),
        ("a.example b.example", "http://c.example/"),
        ("h:80", "https://h/"),
        ("h:0", "http://h/"),
        ("::ffff:10.1.2.2/127", "http://10.1.2.4/"),
        ("::ffff:10.1.2.3", "http://10.1.2.2/"),
        ("fe00::/7", "http://254.0.0.1/"),
        ("[h]", "http://h/"),
        ("h[", "http://h/"),
        ("*:8080", "http://h/"),
        ("127.0.0.1:8080", "http://127.0.0.1/"),
        ("[::1]:8080", "http://[::1]/"),
    ],
)
def test_no_proxy_does_not_exempt(no_proxy: str, url: str) -> None:
    assert proxy_for(url, ALL_PROXY=PROXY, NO_PROXY=no_proxy) == PROXY


def test_a_bad_proxy_is_refused_by_its_variable_without_its_credentials() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        proxy_for("http://h/", http_proxy="http://ann:s3cret@/")
    assert caught.value.field == "http_proxy"
    assert "s3cret" not in str(caught.value)


def test_a_bad_proxy_that_is_not_needed_does_no_harm() -> None:
    environ = {"HTTP_PROXY": "socks5://x", "NO_PROXY": "h"}
    assert proxy_for("http://h/", **environ) is None
    assert proxy_for("https://other/", **environ) is None


def test_settings_do_not_show_credentials() -> None:
    settings = ProxySettings.from_environment({"ALL_PROXY": "http://ann:s3cret@proxy.example"})
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("proxy", "normal"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("HTTPS://ann:s3cret@Proxy.example", "https://ann:s3cret@proxy.example"),
        ("ann:s3cret@[::1]:3128", "http://ann:s3cret@[::1]:3128"),
        ("http://a%40b:p%3Aw@proxy.example", "http://a%40b:p%3Aw@proxy.example"),
    ],
)
def test_a_proxy_is_an_http_url_whose_scheme_may_be_left_out(proxy: str, normal: str) -> None:
    assert require_proxy(proxy) == normal


@pytest.mark.parametrize("proxy", ["", "http://", "a b", "proxy:0", b"proxy", None])
def test_a_bad_proxy_is_refused(proxy: object) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_proxy(proxy)
    assert caught.value.field == "proxy"


@pytest.mark.parametrize("user", ["a%3Ab:s3cret", "a%0D%0AX:s3cret", "a:s3cret%00", "%C2%85"])
def test_a_user_that_basic_authentication_cannot_name_is_refused(user: str) -> None:
    with pytest.raises(HTTPValidationError, match="must have no control character") as refused:
        require_proxy(f"http://{user}@proxy.example")
    assert (refused.value.field, "s3cret" in str(refused.value)) == ("proxy", False)
    with pytest.raises(HTTPValidationError) as caught:
        proxy_for("https://h/", HTTPS_PROXY=f"http://{user}@proxy.example")
    assert caught.value.field == "HTTPS_PROXY"


@pytest.mark.parametrize(
    ("proxy", "normal"),
    [
        ("socks5h://h", "socks5h://h:1080"),
        ("SOCKS5H://ann:s3cret@Proxy.example:80", "socks5h://ann:s3cret@proxy.example:80"),
        ("socks5h://[::1]:1080", "socks5h://[::1]:1080"),
    ],
)
def test_a_socks_proxy_that_resolves_names_is_a_proxy_too(proxy: str, normal: str) -> None:
    assert require_proxy(proxy) == normal


@pytest.mark.parametrize("proxy", ["socks5://h:1080", "socks4://h", "socks5hh://h", "ftp://h"])
def test_a_proxy_of_another_kind_is_refused_with_advice(proxy: str) -> None:
    with pytest.raises(HTTPValidationError, match="or socks5h:// proxy"):
        require_proxy(proxy)


@pytest.mark.parametrize("proxy", ["socks5h://", "socks5h://a b", "socks5h://h:0"])
def test_a_bad_socks_proxy_is_refused(proxy: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_proxy(proxy, "proxies")
    assert caught.value.field == "proxies"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
@pytest.mark.parametrize("user", ["ann", "ann:", "ann:p%3Aw", "%20:%20"])
def test_a_user_with_or_without_a_password_may_stand_in_any_proxy(scheme: str, user: str) -> None:
    assert require_proxy(f"{scheme}://{user}@h:1") == f"{scheme}://{user}@h:1"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
@pytest.mark.parametrize("user", ["a%3Ab", "a%00", "a:%0A"])
def test_the_rules_for_a_user_hold_for_any_proxy(scheme: str, user: str) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        require_proxy(f"{scheme}://{user}@h:1", "proxies")
    assert caught.value.field == "proxies"


def test_a_proxy_variable_is_shown_by_its_name() -> None:
    settings = ProxySettings.from_environment({"https_proxy": PROXY})
    assert repr(settings.https) == "ProxyVariable(name='https_proxy')"
