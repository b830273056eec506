"""What kube-proxy (iptables mode), kubelet, flannel and Calico's felix write, for any number of services."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

IPSETS = """
create cali40masq-ipam-pools hash:net family {inet} maxelem 1048576
create cali40all-ipam-pools hash:net family {inet} maxelem 1048576
create cali40s:web-to-db hash:ip family {inet} maxelem 1048576
add cali40masq-ipam-pools {pods}
add cali40all-ipam-pools {pods}
add cali40s:web-to-db {pod}
"""
CHAINS = """
KUBE-SERVICES KUBE-EXTERNAL-SERVICES KUBE-NODEPORTS KUBE-FORWARD KUBE-FIREWALL KUBE-PROXY-FIREWALL KUBE-KUBELET-CANARY
KUBE-PROXY-CANARY
""".split()  # noqa: SIM905
NAT_CHAINS = """
KUBE-SERVICES KUBE-NODEPORTS KUBE-POSTROUTING KUBE-MARK-MASQ KUBE-MARK-DROP KUBE-KUBELET-CANARY KUBE-PROXY-CANARY
FLANNEL-POSTRTG cali-nat-outgoing cali-POSTROUTING
""".split()  # noqa: SIM905


class Plan(NamedTuple):
    """The addresses of a family's cluster."""

    six: bool
    services: int
    endpoints: int

    @property
    def pods(self) -> str:
        return "fd00:10:244::/56" if self.six else "10.244.0.0/16"

    @property
    def cidr(self) -> str:
        return "fd00:10:96::/112" if self.six else "10.96.0.0/12"

    @property
    def length(self) -> int:
        return 128 if self.six else 32

    def cluster(self, number: int) -> str:
        return (
            f"fd00:10:96::{number + 1:x}" if self.six else f"10.{96 + (number >> 8)}.{number & 255}.{1 + number % 250}"
        )

    def pod(self, number: int, endpoint: int) -> str:
        at = number * self.endpoints + endpoint + 2
        return f"fd00:10:244:{at >> 8:x}::{at & 255:x}" if self.six else f"10.244.{at >> 8}.{at & 255}"

    def to(self, address: str, port: int) -> str:
        return f"[{address}]:{port}" if self.six else f"{address}:{port}"


class Service(NamedTuple):
    number: int
    name: str  # namespace/name:port, as the comments have it
    protocol: str
    port: int
    target: int

    @property
    def chain(self) -> str:
        return hashed("KUBE-SVC-", self.name + self.protocol)

    def endpoint_chain(self, endpoint: str) -> str:
        return hashed("KUBE-SEP-", self.name + self.protocol + endpoint)

    @property
    def has_affinity(self) -> bool:
        return self.number % 25 == 7

    @property
    def has_no_endpoint(self) -> bool:
        return self.number % 50 == 49

    @property
    def node_port(self) -> int:
        return 30000 + self.number if self.number % 10 == 3 else 0

    @property
    def load_balancer(self) -> bool:
        return self.number % 20 == 13


def hashed(prefix: str, what: str) -> str:
    """kube-proxy's names: 16 letters of a hash."""
    return prefix + base64.b32encode(hashlib.sha256(what.encode()).digest()).decode()[:16]


def service(number: int) -> Service:
    if number == 0:
        return Service(0, "default/kubernetes:https", "tcp", 443, 6443)
    if number in (1, 2):
        return Service(number, ("kube-system/kube-dns:dns", "kube-system/kube-dns:dns-tcp")[number - 1],
                       ("udp", "tcp")[number - 1], 53, 53)  # fmt: skip
    port_name = ("", ":http", ":grpc", ":metrics")[number % 4]
    protocol = "sctp" if number % 97 == 96 else "udp" if number % 11 == 10 else "tcp"
    return Service(number, f"team-{number % 9}/app-{number}{port_name}", protocol, 80 + number % 3, 8080)


def restore_file(six: bool, services: int, endpoints: int) -> str:
    """One file for ``iptables-restore --noflush``: the agents' chains, and what they put into the built-in ones."""
    plan = Plan(six, services, endpoints)
    known = [service(number) for number in range(services)]
    return "\n".join([*filter_table(plan, known), *nat_table(plan, known), *mangle_table(), ""])


def ipsets(six: bool) -> str:
    plan = Plan(six, 1, 1)
    text = IPSETS.replace("cali40", "cali60") if six else IPSETS
    return text.format(inet="inet6" if six else "inet", pods=plan.pods, pod=plan.pod(0, 0)).lstrip()


def mangle_table() -> Iterator[str]:
    yield from ("*mangle", ":KUBE-KUBELET-CANARY - [0:0]", ":KUBE-PROXY-CANARY - [0:0]", ":KUBE-IPTABLES-HINT - [0:0]")
    yield "COMMIT"


def filter_table(plan: Plan, services: list[Service]) -> Iterator[str]:
    new = "-m conntrack --ctstate NEW -m comment --comment"
    calico = "cali60" if plan.six else "cali40"
    yield "*filter"
    yield from (f":{chain} - [0:0]" for chain in CHAINS)
    yield from (
        f":{chain} - [0:0]" for chain in ("FLANNEL-FWD", "cali-FORWARD", "cali-INPUT", "cali-tw-cali1a2b3c4d5e6")
    )
    yield '-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT'
    for chain in ("INPUT", "FORWARD", "OUTPUT"):
        yield f'-A {chain} {new} "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL'
    yield '-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS'
    yield f'-A INPUT {new} "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES'
    yield "-A INPUT -j KUBE-FIREWALL"
    yield '-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD'
    yield '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD'
    yield f'-A FORWARD {new} "kubernetes service portals" -j KUBE-SERVICES'
    yield f'-A FORWARD {new} "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES'
    yield '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD'
    yield f'-A OUTPUT {new} "kubernetes service portals" -j KUBE-SERVICES'
    yield "-A OUTPUT -j KUBE-FIREWALL"
    for chain, direction in (("FLANNEL-FWD", "s"), ("FLANNEL-FWD", "d")):
        yield f'-A {chain} -{direction} {plan.pods} -m comment --comment "flanneld forward" -j ACCEPT'
    if not plan.six:
        yield (
            "-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment"
            ' "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP'
        )
    yield (
        '-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark'
        " 0x8000/0x8000 -j DROP"
    )
    yield "-A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP"
    yield ('-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT')
    yield (
        '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate'
        " RELATED,ESTABLISHED -j ACCEPT"
    )
    refusal = "icmp6-port-unreachable" if plan.six else "icmp-port-unreachable"
    for one in services:
        if one.has_no_endpoint:
            yield (
                f"-A KUBE-SERVICES -d {plan.cluster(one.number)}/{plan.length} -p {one.protocol} -m comment --comment"
                f' "{one.name} has no endpoints" -m {one.protocol} --dport {one.port} -j REJECT --reject-with {refusal}'
            )
    yield (
        '-A KUBE-NODEPORTS -p tcp -m comment --comment "team-4/app-13:http health check node port" -m tcp --dport 31013'
        " -j ACCEPT"
    )
    yield from calico_filter(calico, plan.six)
    yield "COMMIT"


def calico_filter(calico: str, six: bool) -> Iterator[str]:
    protocol = "ipv6-icmp" if six else "ipencap"
    tag = '-m comment --comment "cali:{}"'.format
    yield (
        f'-A cali-INPUT -p {protocol} {tag("PajejrV4aFdkZojI")} -m comment --comment "Allow IPIP packets from Calico'
        f' hosts" -m set --match-set {calico}all-ipam-pools src -m addrtype --dst-type LOCAL -j ACCEPT'
    )
    yield f"-A cali-INPUT {tag('8TZGxLWh_Eiz66wc')} -m mark --mark 0x10000/0x10000 -j ACCEPT"
    yield f"-A cali-FORWARD {tag('vjrMJCRpqwy5oRoX')} -j MARK --set-xmark 0x0/0xe0000"
    yield f"-A cali-FORWARD -i cali+ {tag('A_sPAO0mcxbT9mOV')} -m mark --mark 0x0/0x10000 -j cali-tw-cali1a2b3c4d5e6"
    yield f"-A cali-FORWARD -o cali+ {tag('8ZoYfO5HKXWbB3pk')} -j ACCEPT"
    workload = "-A cali-tw-cali1a2b3c4d5e6"
    yield f"{workload} {tag('z-FD4RRx9bc0XGM4')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    yield f"{workload} {tag('qwe-qBPJOY6Xr45K')} -m conntrack --ctstate INVALID -j DROP"
    yield f"{workload} {tag('l7lHYo1OdlsIuwZ6')} -m set --match-set {calico}s:web-to-db src -p tcp -m multiport" + (
        " --dports 5432,6379:6380 -j MARK --set-xmark 0x10000/0x10000"
    )
    yield f"{workload} {tag('q1sWbHdnQ3VLQqDS')} -m mark --mark 0x10000/0x10000 -j RETURN"
    yield f"{workload} {tag('KB-aE0GgQmcLWT2P')} -m set ! --match-set {calico}s:web-to-db src,dst -j DROP"


def nat_table(plan: Plan, services: list[Service]) -> Iterator[str]:
    reachable = [one for one in services if not one.has_no_endpoint]
    yield "*nat"
    yield from (f":{chain} - [0:0]" for chain in NAT_CHAINS)
    for one in reachable:
        yield f":{one.chain} - [0:0]"
        if one.node_port or one.load_balancer:
            yield f":{external(one)} - [0:0]"
        yield from (f":{one.endpoint_chain(end)} - [0:0]" for end in ends(plan, one))
    yield from nat_builtin(plan)
    for one in reachable:
        yield from told(plan, one)
    yield (
        '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this'
        ' chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'
    )
    yield "COMMIT"


def nat_builtin(plan: Plan) -> Iterator[str]:
    calico = "cali60" if plan.six else "cali40"
    portals = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
    masquerade = "-j MASQUERADE --random-fully"
    yield f"-A PREROUTING {portals}"
    yield f"-A OUTPUT {portals}"
    yield '-A POSTROUTING -m comment --comment "cali:O3lYWMrLQYEMJtB5" -j cali-POSTROUTING'
    yield '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING'
    yield '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG'
    flannel = '-m comment --comment "flanneld masq"'
    multicast = "ff00::/8" if plan.six else "224.0.0.0/4"
    yield f"-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 {flannel} -j RETURN"
    yield f"-A FLANNEL-POSTRTG -s {plan.pods} -d {plan.pods} {flannel} -j RETURN"
    yield f"-A FLANNEL-POSTRTG -s {plan.pods} ! -d {multicast} {flannel} {masquerade}"
    yield f"-A FLANNEL-POSTRTG ! -s {plan.pods} -d {plan.pods} {flannel} {masquerade}"
    yield "-A KUBE-MARK-DROP -j MARK --or-mark 0x8000"
    yield "-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000"
    yield "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN"
    yield "-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000"
    yield (f'-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" {masquerade}')
    yield '-A cali-POSTROUTING -m comment --comment "cali:Z-c7XtVd2Bq7s_hA" -j cali-nat-outgoing'
    yield (
        f'-A cali-nat-outgoing -m comment --comment "cali:flqWnvo8yq4ULQLa" -m set --match-set'
        f" {calico}masq-ipam-pools src -m set ! --match-set {calico}all-ipam-pools dst {masquerade}"
    )


def external(one: Service) -> str:
    return hashed("KUBE-EXT-", one.name + one.protocol)


def ends(plan: Plan, one: Service) -> list[str]:
    return [plan.to(plan.pod(one.number, at), one.target) for at in range(plan.endpoints)]


def told(plan: Plan, one: Service) -> Iterator[str]:
    """A service's rules: the way in, the choice among endpoints, each endpoint's DNAT."""
    cluster = f"{plan.cluster(one.number)}/{plan.length}"
    protocol = f"-m {one.protocol}"
    yield (
        f'-A KUBE-SERVICES -d {cluster} -p {one.protocol} -m comment --comment "{one.name} cluster IP"'
        f" {protocol} --dport {one.port} -j {one.chain}"
    )
    if one.node_port:
        yield (
            f'-A KUBE-NODEPORTS -p {one.protocol} -m comment --comment "{one.name}" {protocol}'
            f" --dport {one.node_port} -j {external(one)}"
        )
    if one.load_balancer:
        address = f"2001:db8::{one.number:x}" if plan.six else f"203.0.113.{one.number % 250}"
        yield (
            f"-A KUBE-SERVICES -d {address}/{plan.length} -p {one.protocol} -m comment --comment"
            f' "{one.name} loadbalancer IP" {protocol} --dport {one.port} -j {external(one)}'
        )
    if one.node_port or one.load_balancer:
        yield (
            f'-A {external(one)} -m comment --comment "masquerade traffic for {one.name} external destinations"'
            " -j KUBE-MARK-MASQ"
        )
        yield f"-A {external(one)} -j {one.chain}"
    yield (
        f'-A {one.chain} ! -s {plan.pods} -d {cluster} -p {one.protocol} -m comment --comment "{one.name} cluster IP"'
        f" {protocol} --dport {one.port} -j KUBE-MARK-MASQ"
    )
    yield from chosen(plan, one)


def chosen(plan: Plan, one: Service) -> Iterator[str]:
    all_of = ends(plan, one)
    full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" if plan.six else "255.255.255.255"
    for end in all_of if one.has_affinity else ():
        chain = one.endpoint_chain(end)
        yield (
            f'-A {one.chain} -m comment --comment "{one.name} -> {end}" -m recent --rcheck --seconds 10800 --reap'
            f" --name {chain} --mask {full} --rsource -j {chain}"
        )
    for at, end in enumerate(all_of):
        left = len(all_of) - at
        chance = f" -m statistic --mode random --probability {1 / left:.10f}" if left > 1 else ""
        yield f'-A {one.chain} -m comment --comment "{one.name} -> {end}"{chance} -j {one.endpoint_chain(end)}'
    for at, end in enumerate(all_of):
        chain, pod = one.endpoint_chain(end), f"{plan.pod(one.number, at)}/{plan.length}"
        recent = f" -m recent --set --name {chain} --mask {full} --rsource" if one.has_affinity else ""
        yield f'-A {chain} -s {pod} -m comment --comment "{one.name}" -j KUBE-MARK-MASQ'
        yield (
            f'-A {chain} -p {one.protocol} -m comment --comment "{one.name}"{recent} -m {one.protocol} -j DNAT'
            f" --to-destination {end}"
        )
