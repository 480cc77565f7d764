"""The dashboard: well formed, and about nothing that is not exposed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from worker.settings import Settings

from ..worker.telemetry.exposition import everything, metric_names

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "weighbridge.json"

Dashboard = dict[str, Any]


@pytest.fixture(scope="module")
def dashboard() -> Dashboard:
    """The dashboard, read."""
    read: Dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Everything a worker exposes."""
    return everything(Settings(home=tmp_path_factory.mktemp("home")))


def panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Every panel, those inside of rows as well."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def queries(dashboard: Dashboard) -> list[str]:
    """Every query of its panels."""
    return [target["expr"] for panel in panels(dashboard) for target in panel.get("targets", [])]


def test_panels_have_ids_of_their_own_and_overlap_nowhere(dashboard: Dashboard) -> None:
    """Each panel is one, in a place of its own within the width of the grid."""
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids)) > 10
    taken: set[tuple[int, int]] = set()
    for panel in panels(dashboard):
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_queries_name_only_what_is_exposed(dashboard: Dashboard, exposition: str) -> None:
    """Each metric is exposed, under that name, and with the labels that are asked of it."""
    samples = set(re.findall(r"^(weighbridge_\w+)", exposition, re.MULTILINE))
    labels = {
        name: set(re.findall(r'(\w+)="', told))
        for name, told in re.findall(r"^(weighbridge_\w+)\{(.*)\} ", exposition, re.MULTILINE)
    }
    asked = queries(dashboard) + [each["query"]["query"] for each in dashboard["templating"]["list"][1:]]
    for query in asked:
        named = set(re.findall(r"weighbridge_\w+", query))
        assert named, query
        assert named <= samples, query
        words = set(re.findall(r"by \(([\w, ]+)\)", query)) | set(re.findall(r"[{,] ?(\w+)=", query))
        wanted = {word for each in words for word in each.split(", ")} - {"job", "instance"}
        assert all(wanted <= labels.get(name, set()) for name in named), query


def test_every_metric_is_shown(dashboard: Dashboard, exposition: str) -> None:
    """Nothing is exposed that the dashboard leaves out."""
    shown = {
        re.sub(r"_bucket$", "", name) for query in queries(dashboard) for name in re.findall(r"weighbridge_\w+", query)
    }
    assert shown == metric_names(exposition)


def test_queries_ask_for_the_chosen_job_at_the_chosen_source(dashboard: Dashboard) -> None:
    """Two installations in one Prometheus are told apart."""
    assert all('job=~"$job"' in query for query in queries(dashboard))
    sources = {target["datasource"]["uid"] for panel in panels(dashboard) for target in panel.get("targets", [])}
    assert sources == {"${datasource}"}
