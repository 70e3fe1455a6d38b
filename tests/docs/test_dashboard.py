"""The Grafana dashboard asks for metrics that exist."""

import json
import re
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from railhttp.integrations import prometheus
from railhttp.integrations.prometheus import PrometheusRecorder

DASHBOARD: Final = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"
LABELS: Final = {
    *("client", "circuit", "before", "after", "origin", "admitted", "store"),
    *("method", "host", "status", "error", "le"),
}


def test_every_panel_asks_for_a_metric_of_the_recorder() -> None:
    PrometheusRecorder(registry=CollectorRegistry())
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"railhttp_(\w+)", text)}
    assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} == set(prometheus._HELP)
    groups = {
        label
        for text in expressions
        for group in re.findall(r"by \(([^)]*)\)", text)
        for label in group.split(", ")
    }
    assert groups <= LABELS


def test_panels_have_their_own_ids_and_places() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
