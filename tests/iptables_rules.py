"""Rules of iptables with every option that is not a match's, and what the kernel gave for them, recorded.

``python -m tests.iptables_rules`` (as root) records anew; beside the bytes stands what iptables-save printed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.xt import legacy
from tests import netfilter_scenes as scenes
from tests.lab import Namespace, namespace

FIXTURES = Path(__file__).parent / "collectors" / "fixtures" / "iptables"
COMMANDS = {2: "iptables", 10: "ip6tables"}
NFT_MSG_NEWRULE, NFT_MSG_GETRULE = 6, 7

PLAIN = """
-j ACCEPT
! -i eth0 -j DROP
-i eth+
! -i br-0123456789+
-i abcdefghijklmno
-i abcdefghijklmn+
-i +
! -i +
-p tcp
! -p tcp
-p udp -m udp
-p 255
-p 0
-p tcp -m tcp --sport 0:65535
-p tcp -m tcp --sport 5:5 --dport 1:65535
-p tcp -m tcp ! --sport :5 --dport 7:
-p udp -m udp ! --dport 5:9
-p tcp --syn --dport 80
-p tcp ! --syn --sport 5
-p tcp --tcp-flags ALL ALL
-p tcp -m tcp --tcp-option 5 --dport 5
-p tcp -m tcp --dport 5 -m tcp --dport 6
-p tcp -m tcp --dport 7 -m multiport --dports 5
-p tcp -m comment --comment hi -m tcp --dport 5
-m comment --comment "it's \\"quoted\\" \\\\ \x1b[31m [bold]é"
-m comment --comment "%s %d %%"
-m mark --mark 0/0
-m mark ! --mark 1/0xf
-m mark --mark 0xffffffff
-m limit
-m limit --limit 3/day --limit-burst 7
-m limit --limit 7/sec
-j NFLOG
-j NFLOG --nflog-prefix "two words" --nflog-group 5
-j NFLOG --nflog-group 5 --nflog-size 7 --nflog-threshold 9
-j RETURN
-g other
-i lo -j other
-p tcp -g other
"""
V4 = """
-s 10.0.0.0/8
-s 10.1.0.0/16 -d 10.2.3.0/24
-s 10.128.0.0/9 ! -d 10.2.3.4
! -s 1.2.3.4/255.255.0.255 -d 1.0.3.0/255.0.255.0
-s 0.0.0.0/8
-s 0.0.0.0
-p icmp
-p tcp ! -f
-f
-m ttl --ttl-lt 5
"""
V6 = """
-s fd00::/8
-s 2001::/3 -d 2001:db8::/32
-d ::1 -i lo
! -d fe80::1:2:3:4/64
-s 2001::ffff/ffff::ffff
-s ::
-p ipv6-icmp
-p ipv6-icmp -m icmp6 --icmpv6-type 5/1
-m hl --hl-gt 5
"""


EXTENSIONS = """
-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-m conntrack --ctstate NEW -m comment --comment "a comment" -j REJECT
-m statistic --mode random --probability 0.5 -j LOG --log-prefix "seen: "
-m mark --mark 0x4000/0x4000 -j MARK --set-xmark 0x8000/0x8000
"""


def rules_of(family: int) -> str:
    return PLAIN + (V4 if family == 2 else V6) + EXTENSIONS


def tool(family: int, world: str) -> str:
    return f"{COMMANDS[family]}-{world}"


def load(inside: Namespace, family: int, world: str, rules: str, chain: str = "INPUT") -> None:
    """Rules of one chain of the filter table; ``other`` is there to be jumped to."""
    lines = "".join(f"-A {chain} {rule}\n" for rule in rules.splitlines() if rule)
    text = f"*filter\n:{chain} ACCEPT [0:0]\n:other - [0:0]\n{lines}-A other -j DROP\nCOMMIT\n"
    scenes.load(inside, f"{tool(family, world)}-restore", text)


def saved(inside: Namespace, family: int, world: str) -> str:
    command = ["ip", "netns", "exec", inside.name, f"{tool(family, world)}-save", "-c"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    return done.stdout.decode("utf-8", "surrogateescape")


def record() -> None:
    FIXTURES.mkdir(exist_ok=True)
    for family, command in COMMANDS.items():
        for world, blocks in (("nft", nft_blocks), ("legacy", legacy.read)):
            with namespace() as inside:
                load(inside, family, world, rules_of(family))
                (data,) = [bytes(item.data) for item in blocks(inside.host) if isinstance(item, Block)]
                (FIXTURES / f"{command}-{world}.bin").write_bytes(data)
                text = saved(inside, family, world)
                kept = [line for line in text.split("\n") if line and not line.startswith("#")]
                (FIXTURES / f"{command}-{world}.save").write_text("\n".join(kept) + "\n")


def nft_blocks(host: Host) -> Iterator[Block]:
    yield from nfnetlink.dump_of(host, nfnetlink.NFTABLES, NFT_MSG_GETRULE)


def recorded(family: int, world: str) -> tuple[bytes, str]:
    """The kernel's bytes, and what iptables-save -c printed."""
    name = f"{COMMANDS[family]}-{world}"
    return (FIXTURES / f"{name}.bin").read_bytes(), (FIXTURES / f"{name}.save").read_text()


if __name__ == "__main__":
    record()
