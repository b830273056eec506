"""The kernel's types and function names are read once for all ways: each counts drop reasons anew."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from collectors.host import Host
from collectors.tracing import bpf_way, reasons
from collectors.tracing.btf import Btf
from collectors.tracing.functions import Functions


class ReadOnce:
    read = staticmethod(cache(Btf.read))


@pytest.fixture(scope="module", autouse=True)
def names() -> Iterator[None]:
    functions = Functions(Host())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reasons, "Functions", lambda _: functions)
        patch.setattr(bpf_way, "Btf", ReadOnce)
        yield
