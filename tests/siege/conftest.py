"""Fixtures of the siege, which set its length."""

import pytest

from tests.siege.field.cycles import Plan


def _plan(config: pytest.Config) -> Plan:
    return Plan(config.getoption("cycles"), config.getoption("minutes"), config.getoption("seed"))


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> Plan:
    return _plan(request.config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give a longer siege a longer timeout."""
    for item in items:
        if "siege" in item.path.parts:
            item.add_marker(pytest.mark.timeout(_plan(config).timeout))
