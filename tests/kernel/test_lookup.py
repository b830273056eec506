"""A looked-up route tells the table only where the kernel does."""

from collectors.netlink.routes import lookup
from tests.lab import joined_pair, needs_root

pytestmark = needs_root


def test_an_address_of_this_host_is_not_said_to_be_in_main():
    with joined_pair() as (left, _):
        (row,) = lookup(left.host, "10.9.0.1").rows()
        assert row["type"] == "local"
        assert "table" not in row


def test_a_remote_address_names_the_table_that_a_rule_led_to():
    with joined_pair() as (left, _):
        (row,) = lookup(left.host, "10.9.0.2").rows()
        assert (row["table"], row["dst"]) == ("main", "10.9.0.0/24")
        left.ip("route add 10.9.0.0/16 via 10.9.0.2 table 23", "rule add to 10.9.0.2 table 23")
        (row,) = lookup(left.host, "10.9.0.2").rows()
        assert (row["table"], row["dst"]) == ("23", "10.9.0.0/16")
        (row,) = lookup(left.host, "10.9.0.1").rows()
        assert row["table"] == "local"  # a rule has parted the tables
