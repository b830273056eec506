"""In CI nothing may be skipped: a test that cannot run there has failed."""

from __future__ import annotations

import os

import pytest

os.environ.pop("PYTHONUNBUFFERED", None)  # what the tests start buffers its output, as it does for users


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {call.excinfo.value if call.excinfo else ''}"
    return report
