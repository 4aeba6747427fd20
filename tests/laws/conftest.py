"""A broken law is told in its own words; other errors keep their traceback."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from statements import broken, holds


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mark = item.get_closest_marker("law")
    if mark is None or report.when != "call" or not report.failed:
        return report
    label = item.name.partition("[")[2].removesuffix("]")
    if call.excinfo is None:
        report.longrepr = holds(mark.args[0], label)
    elif call.excinfo.errisinstance(AssertionError):
        report.longrepr = broken(mark.args[0], label, call.excinfo.value)
    return report
