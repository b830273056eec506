"""Panels are data that fits the sections: every column, pivot and key that they name exists, once."""

import re

import pytest

from collectors.registry import MODULES, collector
from nettui import sources
from nettui.derive import SECTIONS
from nettui.panels.panel import Panel
from nettui.panels.registry import PANELS
from nettui.rates import SUFFIX
from tests.lab import joined_pair, needs_root

every_panel = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)


def test_every_collector_is_found_under_its_name():
    assert [collector(name).name for name in MODULES] == list(MODULES)


def test_every_section_has_a_panel_and_every_panel_a_section():
    assert {panel.name for panel in PANELS} == set(SECTIONS)


def test_every_section_is_made_of_collectors_that_exist():
    assert {name for section in SECTIONS.values() for name in section.needs} <= MODULES.keys()


def test_no_two_panels_share_a_key():
    keys = [panel.key for panel in PANELS]
    assert len(set(keys)) == len(keys)


@pytest.fixture(scope="module")
def tables():
    with joined_pair() as (left, _):
        return sources.read([panel.name for panel in PANELS], left.host).tables


@needs_root
@every_panel
def test_every_column_that_a_panel_names_is_one_of_its_table(panel: Panel, tables):
    table = tables[panel.name]
    plain = {name.removesuffix(SUFFIX) for name in panel.columns}
    assert not [name for name in plain if name not in table and name != "rate"]
    assert len(set(panel.columns)) == len(panel.columns)
    if panel.sort:
        assert panel.sort.lstrip("-") in table


@needs_root
@every_panel
def test_every_pivot_leads_from_a_column_to_a_column(panel: Panel, tables):
    for _, target, filter_text in panel.pivots:
        if not isinstance(filter_text, str):
            assert target in tables  # what it makes of rows is tested with the function
            continue
        wanted = filter_text.split()[0]
        assert wanted in tables[target]
        for name in re.findall(r"\{(\w+)\}", filter_text):
            assert name in tables[panel.name]


@needs_root
@every_panel
def test_every_column_says_what_it_is(panel: Panel, tables):
    assert all(column.help for column in tables[panel.name].columns)
