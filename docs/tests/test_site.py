"""The built site in a real browser: every page loads, and every link leads somewhere.

`make docs` builds the site and runs this; it needs Debian's chromium, which the Makefile installs.
"""

import threading
from collections.abc import Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(page.relative_to(SITE).as_posix() for page in SITE.rglob("*.html"))
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site without a log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


# One window for all pages of a kind: a new one starts a process, which takes longer than a page.
@pytest.fixture(scope="session")
def wide(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")


@pytest.fixture(scope="session")
def narrow(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a built page."""
    text = page.read_text(encoding="utf-8")
    return {piece.partition('"')[0] for piece in text.split('id="')[1:]}


class Visit(NamedTuple):
    """A page as a wide window has loaded it, once for all tests of it."""

    name: str
    ok: bool
    troubles: list[str]
    hosts: set[str]
    links: set[str]


@pytest.fixture(scope="module", params=PAGES)
def visit(request: pytest.FixtureRequest, site: str, wide: Page) -> Iterator[Visit]:
    troubles: list[str] = []
    hosts: set[str] = set()
    listeners = {
        "console": lambda message: message.type == "error" and troubles.append(message.text),
        "pageerror": lambda error: troubles.append(str(error)),
        "requestfailed": lambda request: troubles.append(request.url),
        "request": lambda request: hosts.add(urlsplit(request.url).netloc),
    }
    for event, listener in listeners.items():
        wide.on(event, listener)
    response = wide.goto(site + request.param)
    assert response is not None
    links = wide.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
    yield Visit(request.param, response.ok, troubles, hosts, set(links))
    for event, listener in listeners.items():
        wide.remove_listener(event, listener)


def test_a_page_loads_without_an_error_and_without_another_host(site: str, visit: Visit) -> None:
    assert visit.ok
    assert visit.troubles == []
    assert {host for host in visit.hosts if host} == {urlsplit(site).netloc}


def test_no_link_of_a_page_is_dead(site: str, visit: Visit) -> None:
    dead = []
    for link in visit.links:
        target, anchor = urldefrag(urljoin(site + visit.name, link))
        if not target.startswith(site):
            continue
        page = SITE / (target.removeprefix(site) or "index.html")
        if not page.is_file() or (
            anchor and page.suffix == ".html" and anchor not in anchors(page)
        ):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_narrow_window_in_the_dark(site: str, narrow: Page, name: str) -> None:
    narrow.goto(site + name)
    width = narrow.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    assert width <= 0
