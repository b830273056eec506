"""Rows of devices: what a driver counts for each queue and for all of them is summed once."""

from __future__ import annotations

from collectors.draft import of_rows
from collectors.netlink.driver_statistics import DRIVER_STATISTICS
from nettui.ledger.ledger import ledger


def counted(**counters: int) -> dict[str, list[str] | None]:
    """Counter -> part_of, of one device with these counters of its driver."""
    told = [{"ifindex": 2, "name": name, "slot": slot, "value": value}
            for slot, (name, value) in enumerate(counters.items())]  # fmt: skip
    table = ledger({"driver_statistics": of_rows(DRIVER_STATISTICS.columns, told).table()})
    return {str(row["counter"]): row.get("part_of") for row in table.rows()}  # type: ignore[misc]


def test_a_queues_counter_is_inside_the_sum_of_all_queues():
    found = counted(rx_drops=30, rx0_drops=23, rx1_drops=7, tx_tx_timeouts=1, tx0_tx_timeouts=1)
    assert found == {
        "ethtool.rx_drops": None,
        "ethtool.rx0_drops": ["ethtool.rx_drops"],
        "ethtool.rx1_drops": ["ethtool.rx_drops"],
        "ethtool.tx_tx_timeouts": None,
        "ethtool.tx0_tx_timeouts": ["ethtool.tx_tx_timeouts"],
    }


def test_a_driver_without_such_a_sum_has_its_queues_side_by_side():
    found = counted(rx_queue_0_drops=23, rx_queue_1_drops=7, **{"rx_dropped_pkt[0]": 5})
    assert set(map(str, found.values())) == {"None"}
