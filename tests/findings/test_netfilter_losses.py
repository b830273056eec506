"""conntrack and queues to programs that drop packets."""

from nettui.findings.conntrack_drops import CONNTRACK_DROPS
from tests.findings.hosts import docker, found, healthy, made_up, silent
from tests.lab import needs_root
from tests.loss import ways_netfilter
from tests.loss.way import lab


@needs_root
def test_flows_that_translation_has_no_port_for_are_an_error_told_by_their_cause():
    with lab() as built:
        lose = ways_netfilter.ports_for_translation_used_up(built)
        [told] = found(CONNTRACK_DROPS, built.left, lose)
        assert (told.severity, told.subject) == ("error", "conntrack insert_failed")
        assert told.evidence[0].startswith("conntrack_statistics: insert_failed 23 ")
        assert found(CONNTRACK_DROPS, built.left) == []


@needs_root
def test_packets_of_no_flow_are_a_note():
    with lab() as built:
        lose = ways_netfilter.packets_of_no_connection(built)
        [told] = found(CONNTRACK_DROPS, built.right, lose)
        assert (told.severity, told.subject) == ("note", "conntrack invalid")


def test_a_full_table_is_an_error_and_what_it_throws_out_a_warning():
    """By hand: a full table's limit belongs to the whole host."""
    rows = [{"cpu": cpu, "drop": 7, "early_drop": 5, "insert_failed": 0, "drop_rate": 7.0, "early_drop_rate": 5.0}
            for cpu in range(2)]  # fmt: skip
    table = made_up("conntrack_statistics", *rows, rates=("drop", "early_drop"))
    told = {finding.subject: finding for finding in CONNTRACK_DROPS.find({"conntrack_statistics": table})}
    assert {subject: finding.severity for subject, finding in told.items()} == {
        "conntrack drop": "error", "conntrack early_drop": "warning",
    }  # fmt: skip
    assert told["conntrack drop"].says.startswith("14 packets/s")


@needs_root
def test_hosts_whose_conntrack_drops_nothing_are_well():
    assert "conntrack_statistics" in docker()
    assert "conntrack_statistics" in healthy()
    assert silent(CONNTRACK_DROPS)
