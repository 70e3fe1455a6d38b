"""The report, as text and as a page."""

from html.parser import HTMLParser

import pytest
from returns.pipeline import is_successful

from railhttp import HTTPClient, HttpResponse
from railhttp.testing import ScriptedTransport, SentRequest
from railhttp.testing.explore import Report, Schedule, explore, faults

API = "https://api.example"
SOME = faults.named("disconnected", "disconnected, acted", "html", "404")


class Shop(ScriptedTransport):
    def __init__(self) -> None:
        super().__init__()
        self.orders = 0
        self.on("GET", "/stock").reply(json=7)
        self.on("POST", "/orders").does(self.order)
        self.on("DELETE", "/orders").does(self.cancel)
        self.on("GET", "/help").reply()

    def order(self, _: SentRequest) -> HttpResponse:
        self.orders += 1
        return HttpResponse(201)

    def cancel(self, _: SentRequest) -> HttpResponse:
        self.orders = 0
        return HttpResponse(204)


async def order(client: HTTPClient) -> bool:
    if not is_successful(await client.get(f"{API}/stock")):
        return False
    if is_successful(await client.post(f"{API}/orders")):
        return True
    await client.delete(f"{API}/orders")
    return False


def judge(done: bool, shop: Shop) -> str | None:
    return None if done is bool(shop.orders) else f"<{shop.orders}> & {done}"


async def explored() -> Report[bool]:
    return await explore(order, Shop, judge, at_once=2, faults=SOME)


async def test_the_text_shows_each_call_the_smallest_schedules_and_what_is_missing() -> None:
    lines = str(await explored()).split("\n")
    assert lines[0].startswith("24 schedules, up to 2 failures at once, ")
    assert lines[0].endswith(" s: 4 not handled")
    assert lines[1:] == [
        "",
        "call            failures  handled  unhandled",
        "GET /stock             4        4",
        "POST /orders           4        3          1   html",
        "DELETE /orders         4        1          3   disconnected; html; 404",
        "",
        "smallest schedules: 4 in 2 groups",
        "  POST /orders: html",
        "      → <0> & True",
        "  POST /orders: disconnected, acted; DELETE /orders: disconnected (and 2 alike)",
        "      → <1> & False",
        "",
        "not reached",
        "  GET /help: no run called this route of the world",
        "  more than 2 failures at once",
    ]


async def test_an_assertion_shows_minimal_schedules_as_lines_to_paste() -> None:
    report = await explored()
    with pytest.raises(AssertionError) as caught:
        report.assert_handled()
    lines = str(caught.value).split("\n")
    assert lines[0] == "4 schedules not handled, for Schedule.parse:"
    assert lines[1] == '    "POST /orders: html",  # <0> & True'
    assert len(lines) == 1 + len(report.minimal)
    pasted: list[str] = eval("\n".join(["[", *lines[1:], "]"]))
    assert [Schedule.parse(text) for text in pasted] == [run.schedule for run in report.minimal]


async def test_an_assertion_lists_at_most_100_schedules_of_a_group() -> None:
    some = faults.statuses(*range(400, 411))
    report = await explore(order, Shop, lambda done, shop: "bad" if not done else None, faults=some)
    many = Report(report.runs[:1] + report.runs[1:] * 10, 1, 0.0, report.faults)
    with pytest.raises(AssertionError) as caught:
        many.assert_handled()
    assert str(caught.value).count("    # and 10 alike") == 2
    assert len(str(caught.value).split("\n")) == 1 + 2 * 101


async def test_a_report_without_complaints_asserts_nothing() -> None:
    report = await explore(order, Shop, judge, faults=faults.named("dns"))
    report.assert_handled()
    assert "smallest" not in str(report)
    assert repr(report) == "<Report of 3 schedules, all handled>"


class Page(HTMLParser):
    """Checks that tags are closed in their order, and collects the text of cells and titles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[tuple[str | None, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        if tag == "td":
            self.cells.append((dict(attrs).get("title"), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "td":
            self.cells[-1] = self.cells[-1][0], data


async def test_the_page_is_a_matrix_of_calls_and_faults() -> None:
    report = await explored()
    text = report.html()
    page = Page(text)
    assert len(page.cells) == 3 * len(SOME)
    assert [cell for _, cell in page.cells].count("✗") == 4
    assert ("html: <0> & True", "✗") in page.cells
    assert "&lt;1&gt; &amp; False" in text
    assert "<0>" not in text
    assert "more than 2 failures at once" in text
    assert "and 2 alike" in text
    columns = [text.index(f"<span>{fault}</span>") for fault in SOME]
    assert columns.index(max(columns)) == 1  # faults without a complaint come last


async def test_a_page_marks_what_a_call_cannot_show() -> None:
    some = faults.named("404", "disconnected, acted", "disconnected, acted, once")
    report = await explore(order, Shop, faults=some)
    # The client does not repeat a POST, so the third fault equals the second.
    assert [cell for _, cell in Page(report.html()).cells] == ["✓", "✓", "✓", "✓", "✓", "·"]
    assert "Smallest" not in report.html()


async def test_the_page_has_no_script() -> None:
    text = (await explored()).html()
    assert "<script" not in text
