"""Figures that are no times, printed after the table of times."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_FIGURES: list[str] = []


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell a figure of the benchmark that runs."""
    return lambda text: _FIGURES.append(f"{request.node.name}: {text}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print them."""
    if _FIGURES:
        terminalreporter.section("figures")
    for line in _FIGURES:
        terminalreporter.write_line(line)
