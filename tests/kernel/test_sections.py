"""Sections on real namespaces: joined names equal what ip shows."""

import os
import socket

from nettui import sources
from tests.lab import joined_pair, namespace, needs_root

pytestmark = needs_root


def test_the_next_hops_of_a_multipath_route_name_their_devices():
    with joined_pair() as (left, _):
        left.ip("route add 198.51.100.0/24 nexthop via 10.9.0.2 dev left0 weight 3 nexthop via 10.9.0.3 dev left0")
        table = sources.read(["routes"], left.host).tables["routes"]
        (hops,) = [row["nexthops"] for row in table.rows() if "nexthops" in row]
        (peer,) = [route["nexthops"] for route in left.json("ip -j route") if "nexthops" in route]
        assert hops == peer


def test_a_veth_pair_names_its_peer_in_the_other_namespace():
    with joined_pair() as (left, right):
        table = sources.read(["links"], left.host).tables["links"]
        (row,) = [row for row in table.rows() if row["ifname"] == "left0"]
        assert (row["peer"], row["link_netns"]) == ("right0", right.name)


def test_a_veth_pair_inside_one_namespace_names_its_peer_and_no_namespace():
    with namespace() as inside:
        inside.ip("link add a0 type veth peer name b0", "link add br0 type bridge", "link set a0 master br0")
        rows = {row["ifname"]: row for row in sources.read(["links"], inside.host).tables["links"].rows()}
        assert (rows["a0"]["peer"], rows["b0"]["peer"], rows["a0"]["master"]) == ("b0", "a0", "br0")
        assert "link_netns" not in rows["a0"]


def test_a_listening_socket_names_the_process_that_holds_it():
    with namespace() as inside:
        with inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(23)
            port = listener.getsockname()[1]
            table = sources.read(["sockets"], inside.host).tables["sockets"]
        (row,) = [row for row in table.rows() if row.get("sport") == port]
        assert (row["state"], row["pid"], row["backlog_limit"]) == ("LISTEN", os.getpid(), 23)
