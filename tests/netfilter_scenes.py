"""Hosts with rulesets of real shape, loaded by the tools themselves, each in a namespace of its own."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from tests import rulesets
from tests.lab import Namespace, namespace
from tests.rulesets import hostile as bad
from tests.rulesets import kubernetes, many, objects, xt_plain
from tests.xt_rules import every_rule

NFPROTO_INET = 1
SHUT_OUT = "198.51.100.66"
DROPPED, PASSED = 23, 17  # datagrams to the published port 5353 of docker_host


@dataclass(frozen=True)
class DockerHost(Namespace):
    """The host itself, a client outside, and the containers by name."""

    outside: Namespace
    containers: dict[str, Namespace]


def load(inside: Namespace, command: str, text: str) -> None:
    """A ruleset by a tool that reads it from standard input."""
    words = ["ip", "netns", "exec", inside.name, *command.split()]
    done = subprocess.run(words, input=text, text=True, capture_output=True, check=False, timeout=600)
    assert done.returncode == 0, f"{command}: {done.stderr[:2000]}"


def load_nft(inside: Namespace, text: str) -> None:
    """By ``nft -f`` from a file, as standard input is limited there."""
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
        file.write(text)
        file.flush()
        load(inside, f"nft -f {file.name}", "")


@contextmanager
def docker_host() -> Iterator[DockerHost]:
    """dockerd's rules by iptables-nft; containers behind two bridges, flows through DNAT and masquerade, drops."""
    with ExitStack() as stack:
        inside, outside = stack.enter_context(namespace()), stack.enter_context(namespace())
        containers = {name: stack.enter_context(namespace()) for name in ("web", "resolver", "database")}
        inside.ip(
            f"link add eth0 type veth peer name eth0 netns {outside.name}",
            "address add 198.51.100.1/24 dev eth0",
            "link set eth0 up",
            "link add docker0 type bridge",
            "link add br-5f2c1d9e7a31 type bridge",
            "address add 172.17.0.1/16 dev docker0",
            "address add 172.18.0.1/16 dev br-5f2c1d9e7a31",
            "link set docker0 up",
            "link set br-5f2c1d9e7a31 up",
        )
        outside.ip("address add 198.51.100.2/24 dev eth0", f"address add {SHUT_OUT}/24 dev eth0", "link set eth0 up")
        outside.ip("route add default via 198.51.100.1")
        for number, (name, bridge, address, gateway) in enumerate(
            (
                ("web", "docker0", "172.17.0.2/16", "172.17.0.1"),
                ("resolver", "docker0", "172.17.0.3/16", "172.17.0.1"),
                ("database", "br-5f2c1d9e7a31", "172.18.0.2/16", "172.18.0.1"),
            )
        ):
            box = containers[name]
            inside.ip(f"link add veth{number}a5f{number} type veth peer name eth0 netns {box.name}")
            inside.ip(f"link set veth{number}a5f{number} master {bridge} up")
            box.ip(f"address add {address} dev eth0", "link set eth0 up", f"route add default via {gateway}")
        inside.run("sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.netfilter.nf_conntrack_acct=1")
        load(inside, "iptables-nft-restore", rulesets.text("docker.rules"))
        for kept in docker_traffic(inside, outside, containers):
            stack.callback(kept.close)
        yield DockerHost(inside.name, outside, containers)


def docker_traffic(inside: Namespace, outside: Namespace, containers: dict[str, Namespace]) -> list[socket.socket]:
    """A client's connection to a published port, a container's to the outside, datagrams that pass and that do not."""
    server = listening(containers["web"], "172.17.0.2", 80)
    client = connected(outside, ("198.51.100.1", 8080))
    accepted = server.accept()[0]
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    accepted.sendall(accepted.recv(100) + b"HTTP/1.0 200 OK\r\n\r\n")
    remote = listening(outside, "198.51.100.2", 443)
    fetching = connected(containers["database"], ("198.51.100.2", 443))
    resolver = containers["resolver"].host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET)
    resolver.bind(("172.17.0.3", 53))
    resolver.settimeout(10)
    asking, shut_out = (outside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) for _ in range(2))
    shut_out.bind((SHUT_OUT, 0))
    for sender, count in ((asking, PASSED), (shut_out, DROPPED)):
        for _ in range(count):
            sender.sendto(b"who is it?", ("198.51.100.1", 5353))
    for _ in range(PASSED):
        resolver.recv(100)
    return [server, client, accepted, remote, fetching, resolver, asking, shut_out]


def listening(inside: Namespace, address: str, port: int) -> socket.socket:
    server = inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
    server.settimeout(10)
    server.bind((address, port))
    server.listen()
    return server


def connected(inside: Namespace, to: tuple[str, int]) -> socket.socket:
    client = inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
    client.settimeout(10)
    client.connect(to)
    return client


@contextmanager
def kubernetes_host(services: int = 500, endpoints: int = 3, services6: int = 50) -> Iterator[Namespace]:
    """kube-proxy's, flannel's and Calico's rules by iptables-nft, with 50 IPv6 services too."""
    with namespace() as inside:
        objects.accounting(inside, "ct_state_invalid_dropped_pkts")
        for six, count in ((False, services), (True, services6)):
            load(inside, "ipset restore", kubernetes.ipsets(six))
            tool = "ip6tables-nft-restore" if six else "iptables-nft-restore"
            load(inside, f"{tool} --noflush", kubernetes.restore_file(six, count, endpoints))
        yield inside


@contextmanager
def firewalld_host() -> Iterator[Namespace]:
    """firewalld's nftables backend: zones, policies, rich rules, sets, a forwarded port, masquerading."""
    with namespace() as inside:
        load(inside, "nft -f -", rulesets.text("firewalld.nft"))
        yield inside


@contextmanager
def nft_router() -> Iterator[Namespace]:
    """Native nftables with every expression, statement, set, map and object that nft 1.0.6 and this kernel take."""
    with namespace() as inside:
        inside.ip(*(f"link add eth{number} type veth peer name peer{number}" for number in range(3)))
        load_nft(inside, rulesets.text("router.nft"))
        rules = [f"add rule {chain} {rule}\n" for chain, rule in router_rules()]
        try:
            load_nft(inside, "".join(rules))
        except AssertionError:  # another kernel or nft: what it takes of them
            for rule in rules:
                with suppress(AssertionError):
                    load_nft(inside, rule)
        yield inside


def router_rules() -> Iterator[tuple[str, str]]:
    """(family table chain, rule) of router.rules."""
    chain = ""
    for line in rulesets.text("router.rules").splitlines():
        if line.startswith("["):
            chain = line.strip("[]")
        elif line and not line.startswith("#"):
            yield chain, line


@contextmanager
def every_xt_rule(family: int, legacy: bool) -> Iterator[Namespace]:
    """Every rule of xt_rules and xt_plain that this kernel and this iptables take, for NFPROTO 2 (ip) or 10 (ip6).

    ``nft list ruleset`` 1.0.6 may end by a fault of its own over these (hashlimit of ip6): ask iptables-save.
    """
    tool = f"ip{'6' if family == 10 else ''}tables-{'legacy' if legacy else 'nft'}"
    with namespace() as inside:
        named_by_rules(inside, family)
        made = f"{tool} -N own\n" + "".join(
            f"{tool} -t {table} -A {chain} {rule}\n" for table, chain, rule in rules_of(family)
        )
        subprocess.run(
            ["ip", "netns", "exec", inside.name, "sh"],
            input=made,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )
        yield inside


def rules_of(family: int) -> Iterable[tuple[str, str, str]]:
    """Rate estimators first: matches name those that targets made."""
    makers = [("filter", "FORWARD", f"-j RATEEST --rateest-name re{n} --rateest-interval 1s --rateest-ewmalog 8s")
              for n in (1, 2)]  # fmt: skip
    return [*makers, *xt_plain.rules(family), *every_rule(family)]


def named_by_rules(inside: Namespace, family: int) -> None:
    """The ipsets, accounting objects and timeout policies that the rules name."""
    inet = "inet6" if family == 10 else "inet"
    created = (
        f"create s1 hash:ip family {inet} counters timeout 0",
        f"create s2 hash:ip,port family {inet} counters",
        f"create s3 hash:ip,port,ip family {inet}",
        f"create s4 hash:ip family {inet} skbinfo",
    )
    load(inside, "ipset restore", "\n".join(created) + "\n")
    for name in ("acct1", "two words"):
        objects.accounting(inside, name)
    objects.timeout_policy(inside, "pol", socket.IPPROTO_TCP, socket.AF_INET6 if family == 10 else socket.AF_INET)


@contextmanager
def both_worlds() -> Iterator[Namespace]:
    """dockerd's rules by iptables-nft, older ones left in the legacy tables, and a native table: all filter at once."""
    with namespace() as inside:
        load(inside, "iptables-nft-restore", rulesets.text("docker.rules"))
        load(inside, "iptables-legacy-restore -c", rulesets.text("legacy.rules"))
        load(inside, "ip6tables-legacy-restore -c", rulesets.text("legacy6.rules"))
        load(inside, "nft -f -", rulesets.text("native.nft"))
        yield inside


@contextmanager
def many_nft_rules(count: int = 20_000) -> Iterator[Namespace]:
    """``count`` rules of two dozen shapes in 200 chains of one table."""
    with namespace() as inside:
        load_nft(inside, many.nft_file(count))
        yield inside


@contextmanager
def many_iptables_rules(count: int = 20_000, legacy: bool = False) -> Iterator[Namespace]:
    """``count`` rules of two dozen shapes in 200 chains of the table "filter", with counters."""
    with namespace() as inside:
        load(inside, "ipset restore", many.ipsets())
        load(inside, f"iptables-{'legacy' if legacy else 'nft'}-restore -c", many.xt_file(count))
        yield inside


@contextmanager
def large_set(count: int = 1_000_000, step: int = 50_000) -> Iterator[Namespace]:
    """One set of ``count`` IPv4 addresses that a rule uses."""
    with namespace() as inside:
        load_nft(inside, many.large_table(count))
        for start in range(0, count, step):
            load_nft(inside, many.elements(start, min(start + step, count)))
        yield inside


@contextmanager
def hostile(family: int = socket.AF_INET, beyond_peers: bool = False) -> Iterator[Namespace]:
    """Comments, prefixes and names with escape sequences, markup and line breaks, in all worlds.

    ``beyond_peers``: also bytes that are no UTF-8, quotes in nft's comments and malformed user data, which only raw
    netlink can make, and of which ``nft list ruleset`` prints what cannot be read back.
    """
    six = "6" if family == socket.AF_INET6 else ""
    nft, legacy = f"ip{six}tables-nft", f"ip{six}tables-legacy"
    with namespace() as inside:
        load(inside, "nft -f -", "table inet hostile { chain input { type filter hook input priority 0;\n}\n}\n")
        for text in (*bad.TEXTS, *([bad.INVALID] if beyond_peers else [])):
            add_hostile(inside, "nft", "-f", "-", text=f'add rule inet hostile input counter comment "{text}"\n')
            add_hostile(inside, "nft", "-f", "-", text=f'add rule inet hostile input log prefix "{text}"\n')
        for text in (*bad.TEXTS, *bad.QUOTED, *([bad.INVALID] if beyond_peers else [])):
            for tool in (nft, legacy) if beyond_peers or '"' not in text else (legacy,):
                add_hostile(inside, tool, "-A", "INPUT", "-m", "comment", "--comment", text, "-j", "ACCEPT")
                add_hostile(inside, tool, "-A", "INPUT", "-j", "LOG", "--log-prefix", text[:29])
        for name in bad.NAMES:
            add_hostile(inside, "nft", "-f", "-", text=f'add rule inet hostile input iifname "{name}" accept\n')
            for tool in (nft, legacy):
                add_hostile(inside, tool, "-N", name)
                add_hostile(inside, tool, "-A", "INPUT", "-i", name, "-j", name)
        if beyond_peers:
            for octets in (*map(bad.userdata, (*bad.QUOTED, bad.INVALID)), *bad.MALFORMED):
                objects.rule_with(inside, NFPROTO_INET, "hostile", "input", octets)
        yield inside


def add_hostile(inside: Namespace, *command: str, text: str = "") -> None:
    """What the tool refuses is left out."""
    words = [word.encode(errors="surrogateescape") for word in ("ip", "netns", "exec", inside.name, *command)]
    stdin = text.encode(errors="surrogateescape")
    subprocess.run(words, input=stdin, capture_output=True, check=False, timeout=60)
