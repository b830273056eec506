"""In CI nothing may be skipped: a test that cannot run there has failed."""

from __future__ import annotations

import os
import resource

import pytest

# a decoder that believes a broken length must fail here, and not take the machine's memory
resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, resource.getrlimit(resource.RLIMIT_DATA)[1]))
os.environ.pop("PYTHONUNBUFFERED", None)  # what the tests start buffers its output, as it does for users


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {call.excinfo.value if call.excinfo else ''}"
    return report
