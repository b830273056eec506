"""Saved packets are those that were shown, with their stamps and lengths."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from nettui.packets.reading import Batch, batches
from nettui.packets.saving import SeveralLinkTypes, saved
from tests.packets import build
from tests.packets.test_store import whole


def read(path: Path) -> list[Batch]:
    found = list(batches(str(path)))
    assert all(isinstance(batch, Batch) for batch in found)
    return [batch for batch in found if isinstance(batch, Batch)]


def test_some_rows_are_a_file_of_their_own(tmp_path: Path):
    path, records = tmp_path / "saved.pcap", whole(10_000)
    records.times[:] = np.arange(10_000) * 1_000_000_007
    rows = np.arange(0, 10_000, 3)
    assert saved([(records, rows)], path) == len(rows)
    (batch,) = read(path)
    assert batch.table["sport"].cells() == (rows + 1).tolist()
    assert np.array_equal(batch.records.times, records.times[rows])
    assert set(batch.table["length"].cells()) == {60}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_all_rows_of_several_batches_are_one_file(tmp_path: Path):
    path = tmp_path / "saved.pcap"
    assert saved([(whole(5), None), (whole(5), np.arange(0)), (whole(3), None)], path) == 8
    assert [cell for batch in read(path) for cell in batch.table["sport"].cells()] == [1, 2, 3, 4, 5, 1, 2, 3]


def test_two_link_types_do_not_fit_in_one(tmp_path: Path):
    records = build.records(build.others())
    with pytest.raises(SeveralLinkTypes):
        saved([(records, None)], tmp_path / "both.pcap")


def test_nothing_is_a_file_too(tmp_path: Path):
    path = tmp_path / "empty.pcap"
    assert saved([], path) == 0
    assert read(path) == []
