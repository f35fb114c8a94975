"""The alerts, the board and the examples: that they load, fit what a daemon exports, and are explained."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml

from tests.metrics.scraping import World

PROJECT = Path(__file__).parents[2]
PROMETHEUS, BOARD = PROJECT / "etc/prometheus", PROJECT / "etc/grafana/dialerd.json"
RULES, TESTS = PROMETHEUS / "dialerd.rules.yml", Path(__file__).parent / "dialerd.test.yml"
BUILT_IN = {"up"}
"""Metrics that Prometheus makes itself."""

needs_promtool = pytest.mark.skipif(which("promtool") is None, reason="promtool is not installed")
needs_amtool = pytest.mark.skipif(which("amtool") is None, reason="amtool is not installed")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(BOARD.read_text())["panels"]
    return found


def board_expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def run(*command: str, folder: Path = PROMETHEUS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def names_in(expression: str) -> Iterator[str]:
    bare = re.sub(r'"[^"]*"', '""', expression)
    yield from re.findall(r"\b(?:dialerd|process)_\w+|\bup\b", bare)


@needs_promtool
def test_promtool_takes_the_rules_and_the_example() -> None:
    rules = run("promtool", "check", "rules", RULES.name)
    example = run("promtool", "check", "config", "prometheus.yml")

    assert rules.returncode == 0, rules.stdout + rules.stderr
    assert f"{len(alerts())} rules found" in rules.stdout
    assert example.returncode == 0, example.stdout + example.stderr


@needs_promtool
@pytest.mark.long
def test_each_alert_fires_where_it_should_and_only_there() -> None:
    tested = run("promtool", "test", "rules", TESTS.name, folder=TESTS.parent)

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_each_alert_has_a_test_in_which_it_fires() -> None:
    tests = yaml.safe_load(TESTS.read_text())["tests"]
    firing = [
        re.search(r'alertname="(\w+)"', each["expr"])[1]  # type: ignore[index]
        for test in tests
        for each in test.get("promql_expr_test", [])
        if each["exp_samples"]
    ]

    assert {alert["alert"] for alert in alerts()} == set(firing)


@needs_amtool
def test_amtool_takes_the_example() -> None:
    checked = run("amtool", "check-config", "alertmanager.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_example_inhibits_alerts_that_there_are() -> None:
    text = (PROMETHEUS / "alertmanager.yml").read_text()
    named = {name for line in re.findall(r'alertname =~? "([^"]+)"', text) for name in line.split("|")}

    assert named <= {alert["alert"] for alert in alerts()}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_each_alert_is_explained(alert: dict[str, Any]) -> None:
    told = alert["annotations"]
    manual = (PROJECT / "docs/operations.md").read_text()

    assert told["summary"]
    assert told["description"].endswith(".")
    assert told["runbook"] == f"operations.md#{alert['alert'].lower()}"
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert re.search(rf"^### {alert['alert']}$", manual, re.MULTILINE)


def test_the_manual_explains_no_alert_that_there_is_not() -> None:
    manual = (PROJECT / "docs/operations.md").read_text().split("\n## The alerts\n")[1]
    explained = re.findall(r"^### (\w+)$", manual.split("\n## ")[0], re.MULTILINE)

    assert explained == [alert["alert"] for alert in alerts()]


def test_the_board_is_one_that_grafana_imports() -> None:
    board = json.loads(BOARD.read_text())
    ids = [panel["id"] for panel in panels()]
    sources = {json.dumps(panel["datasource"]) for panel in panels() if panel["type"] != "row"}

    assert (board["uid"], board["title"], board["schemaVersion"]) == ("dialerd", "dialerd", 39)
    assert len(ids) == len(set(ids))
    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    assert [each["name"] for each in board["templating"]["list"]] == ["datasource", "job", "instance", "way"]
    assert all(panel["targets"] for panel in panels() if panel["type"] != "row")


def test_the_boards_panels_do_not_lie_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }

        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


@needs_promtool
def test_promtool_takes_every_expression_of_the_board(tmp_path: Path) -> None:
    filled = [
        each.replace("$__rate_interval", "5m")
        .replace("$job", "dialerd")
        .replace("$instance", ".*")
        .replace("$way", ".*")
        for each in board_expressions()
    ]
    rules = [{"record": f"board:{number}", "expr": each} for number, each in enumerate(filled)]
    (tmp_path / "board.yml").write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))

    checked = run("promtool", "check", "rules", "board.yml", folder=tmp_path)

    assert len(rules) > 40
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_panel_of_the_board_has_a_unit() -> None:
    units = {
        panel["title"]: panel["fieldConfig"]["defaults"].get("unit")
        for panel in panels()
        if panel["type"] != "row"
    }

    assert [title for title, unit in units.items() if not unit] == []
    assert len(units) > 30


def test_alerts_and_board_ask_only_for_labels_and_words_that_a_daemon_exports(busy: World) -> None:
    exported: dict[str, dict[str, set[str]]] = {}
    for metric in busy.metrics().values():
        for sample in metric.samples:
            for label, value in sample.labels.items():
                exported.setdefault(sample.name, {}).setdefault(label, set()).add(value)
    asked = [
        (name, label, word)
        for expression in [alert["expr"] for alert in alerts()] + board_expressions()
        for name, matchers in re.findall(r"\b(dialerd_\w+)\{([^}]*)\}", expression)
        for label, words in re.findall(r'(\w+)=~?"([^"]*)"', matchers)
        if not words.startswith("$")
        for word in words.split("|")
    ]

    unknown = [each for each in asked if each[2] not in exported.get(each[0], {}).get(each[1], ())]

    assert len(asked) >= 20
    assert unknown == []


def test_alerts_and_board_speak_only_of_what_a_daemon_exports(busy: World) -> None:
    exported = {sample.name for metric in busy.metrics().values() for sample in metric.samples}
    expressions = [alert["expr"] for alert in alerts()] + board_expressions()

    named = {name for each in expressions for name in names_in(each)} - BUILT_IN

    assert len(named) > 40
    assert named - exported == set()


def test_the_manual_lists_every_metric_with_its_type_and_labels(busy: World) -> None:
    manual = (PROJECT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(dialerd_\w+)` \| (\w+) \|([^|]*)\|", manual, re.MULTILINE)
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    exported = {}
    for metric in busy.metrics().values():
        if metric.name.startswith("dialerd_") and metric.samples:
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            labels = {label for sample in metric.samples for label in sample.labels} - {"le"}
            exported[name] = (metric.type, labels)

    assert documented == exported
