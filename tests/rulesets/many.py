"""Rules by the thousands, in the mix of shapes that large rulesets have, and a set of a million addresses."""

from __future__ import annotations

from collections.abc import Iterator

SETS = 40
CHAINS = 200  # the rules are spread over these, each jumped to from a base chain

NFT_SHAPES = (
    "ip saddr {a} drop",
    "ip saddr {a} tcp dport {p} accept",
    "ip saddr {net}/24 tcp dport {p} counter packets {n} bytes {b} accept",
    "ip daddr {a} udp dport {p} counter packets {n} bytes {b}",
    "ip saddr @set{s} counter packets {n} bytes {b} drop",
    "ip saddr {net}/16 ip daddr {a} tcp dport {{ 80, 443, {p} }} accept",
    'iifname "eth{i}" ip saddr {a} ct state new tcp dport {p} counter packets {n} bytes {b} accept',
    'tcp dport {p} log prefix "dropped {p}: " level info drop',
    'ip saddr {a} counter packets {n} bytes {b} accept comment "ticket {n}"',
    "ip protocol icmp icmp type echo-request ip saddr {net}/24 accept",
    "tcp dport {p} jump shared{c}",
    'ip daddr {a} counter name "named{c}" accept',
    "ip saddr {a} ip daddr {other} tcp sport 1024-65535 tcp dport {p} ct state established,related accept",
    "ip saddr {net}/24 limit rate 10/second accept",
    'udp dport {p}-{q} counter packets {n} bytes {b} accept comment "range {p}"',
    "ip6 saddr fd00:{s:x}::{h:x} tcp dport {p} counter packets {n} bytes {b} accept",
    "meta mark 0x{n:08x} counter packets {n} bytes {b} return",
    'oifname "veth{n:x}" ip daddr {a} accept',
    "tcp dport {p} tcp flags & (fin | syn | rst | ack) == syn meta mark set 0x{n:08x}",
    "ip saddr . tcp dport {{ {a} . {p}, {other} . {q} }} counter packets {n} bytes {b} accept",
    "ct mark & 0x000000ff == 0x{h:08x} counter packets {n} bytes {b} drop",
    "ip saddr {a} tcp dport vmap {{ {p} : accept, {q} : jump shared{c} }}",
    "ip saddr != {net}/24 udp dport {p} reject with icmp port-unreachable",
    "ether saddr 02:00:00:00:{i:02x}:{h:02x} counter packets {n} bytes {b} accept",
)

XT_SHAPES = (
    "-s {a}/32 -j DROP",
    "-s {a}/32 -p tcp -m tcp --dport {p} -j ACCEPT",
    "-s {net}/24 -p tcp -m tcp --dport {p} -j ACCEPT",
    "-d {a}/32 -p udp -m udp --dport {p} -j ACCEPT",
    "-s {net}/16 -d {a}/32 -p tcp -m multiport --dports 80,443,{p} -j ACCEPT",
    "-i eth{i} -s {a}/32 -p tcp -m conntrack --ctstate NEW -m tcp --dport {p} -j ACCEPT",
    '-p tcp -m tcp --dport {p} -j LOG --log-prefix "dropped {p}: " --log-level 6',
    '-s {a}/32 -m comment --comment "ticket {n}" -j ACCEPT',
    "-s {net}/24 -p icmp -m icmp --icmp-type 8 -j ACCEPT",
    "-p tcp -m tcp --dport {p} -j SHARED{c}",
    "-d {a}/32 -m mark --mark 0x{n:x} -j RETURN",
    "-s {a}/32 -d {other}/32 -p tcp -m tcp --sport 1024: --dport {p} -m state --state NEW -j ACCEPT",
    "-s {net}/24 -m limit --limit 10/sec -j ACCEPT",
    '-p udp -m udp --dport {p}:{q} -m comment --comment "ns{c}/app-{n}:http cluster IP" -j ACCEPT',
    "! -i eth{i} -d {a}/32 -p tcp -m tcp --dport {p} -j MARK --set-xmark 0x{n:x}/0xffffffff",
    "-o veth{n:x} -d {a}/32 -j ACCEPT",
    "-s {a}/32 -m statistic --mode random --probability 0.50000000000 -j SHARED{c}",
    "-m set --match-set set{s} src -j DROP",
    "-s {a}/32 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j SHARED{c}",
    "-s {a}/32 -m connmark --mark 0x{h:x}/0xff -j ACCEPT",
    "-d {a}/32 -m addrtype --dst-type LOCAL -j SHARED{c}",
    "-s {net}/24 -p udp -m udp --dport {p} -j REJECT --reject-with icmp-port-unreachable",
)


def told(shape: str, number: int) -> str:
    """A shape with addresses, ports and counters that differ from rule to rule."""
    high, low = number >> 8 & 255, number & 255
    return shape.format(
        a=f"10.{high}.{low}.{1 + number % 254}",
        other=f"172.16.{high}.{low}",
        net=f"10.{low}.0.0" if "}/16" in shape else f"10.{high}.{low}.0",
        p=1 + number % 60000,
        q=60001 + number % 5000,
        n=number,
        b=number * 60,
        s=number % SETS,
        c=number % 10,
        i=number % 4,
        h=low,
    )


def nft_file(count: int) -> str:
    return "\n".join(nft_lines(count)) + "\n"


def nft_lines(count: int) -> Iterator[str]:
    yield "table inet many {"
    yield from (f"counter named{number} {{ }}" for number in range(10))
    for number in range(SETS):
        yield f"set set{number} {{ type ipv4_addr; elements = {{ 192.0.2.{number}, 198.51.100.{number} }}; }}"
    yield from (f"chain shared{number} {{ }}" for number in range(10))
    first = count - CHAINS
    for chain in range(CHAINS):
        yield f"chain rules{chain} {{"
        for at in range(first * chain // CHAINS, first * (chain + 1) // CHAINS):
            yield told(NFT_SHAPES[at % len(NFT_SHAPES)], at)
        yield "}"
    yield "chain forward { type filter hook forward priority filter; policy accept;"
    yield from (f"jump rules{chain}" for chain in range(CHAINS))
    yield "}\n}"


def xt_file(count: int) -> str:
    """A file for ``iptables-restore -c``."""
    return "\n".join(xt_lines(count)) + "\n"


def xt_lines(count: int) -> Iterator[str]:
    yield from ("*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [77:7700]", ":OUTPUT ACCEPT [0:0]")
    yield from (f":SHARED{number} - [0:0]" for number in range(10))
    yield from (f":RULES{number} - [0:0]" for number in range(CHAINS))
    yield from (f"[{chain}:{chain * 60}] -A FORWARD -j RULES{chain}" for chain in range(CHAINS))
    first = count - CHAINS
    for at in range(first):
        shape = XT_SHAPES[at % len(XT_SHAPES)]
        yield f"[{at}:{at * 60}] -A RULES{at * CHAINS // first} {told(shape, at)}"
    yield "COMMIT"


def ipsets() -> str:
    return "".join(f"create set{number} hash:net\nadd set{number} 192.0.2.{number}\n" for number in range(SETS))


def large_table(count: int) -> str:
    chain = "chain input { type filter hook input priority filter; policy accept; ip saddr @large drop; }"
    return f"table ip large {{\nset large {{ type ipv4_addr; size {count}; }}\n{chain}\n}}\n"


def elements(start: int, stop: int) -> str:
    """Addresses of the set ``large`` in table ip large."""
    listed = ",".join(f"{11 + (at >> 24)}.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}" for at in range(start, stop))
    return f"add element ip large large {{ {listed} }}\n"
