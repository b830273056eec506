"""What drivers' counters of one kind have in common: causes and remedies; and how their patterns are made."""

from __future__ import annotations

from dataclasses import dataclass

from nettui.knowledge.entry import Counter, Direction, Pattern, Severity

ETHERNET = "drivers/net/ethernet/"
ALL = "ethtool -S DEV | grep -v ': 0$'  # the counters beside it often tell more"
INTEL = ("e1000", "e1000e", "igb", "igc", "ixgbe", "ixgbevf", "i40e", "iavf", "ice")
INTEL_TABLES = ETHERNET + "intel/igc/igc_ethtool.c, e1000/e1000_ethtool.c, ixgbe/ixgbe_ethtool.c"
LINK = "rtnl_link_stats64."


@dataclass(frozen=True, slots=True)
class Kind:
    """What counters of one kind have in common, whatever a driver calls them."""

    causes: tuple[str, ...]
    remedies: tuple[str, ...]


RING = Kind(
    (
        "bursts larger than the receive ring",
        "the CPU of the queue is busy, or its interrupts come late",
        "all traffic on one queue: too few queues, or one large flow",
    ),
    (
        "ethtool -g DEV  # is the receive ring below its maximum?",
        "ethtool -G DEV rx N  # up to that maximum; the link is down for a moment, more memory and latency",
        "ethtool -l DEV; cat /proc/interrupts | grep DEV  # queues, and the CPUs that serve them",
        "nettui report softnet  # time_squeeze on those CPUs?",
    ),
)
PORT = Kind(
    (
        "the device's own packet buffer is full: the host or its PCIe slot is too slow for the line rate",
        "pause frames are off, and a burst comes faster than the device can hand over",
    ),
    (
        "lspci -vv -s $(ethtool -i DEV | sed -n 's/bus-info: //p') | grep -i lnksta  # width and speed of the slot",
        "ethtool -a DEV; ethtool -A DEV rx on tx on  # pause frames, if the switch takes them; may stall others",
        ALL,
    ),
)
MEMORY = Kind(
    ("the host had no free memory at that moment (GFP_ATOMIC)", "memory is fragmented, or a container's limit is near"),
    (
        "free -m; grep -i . /proc/buddyinfo; dmesg | grep -i 'allocation failure'",
        "sysctl -w vm.min_free_kbytes=N  # keeps more memory free for the kernel; takes it from programs",
    ),
)
CABLE = Kind(
    (
        "a bad or dirty cable, optic or connector",
        "a faulty port at either end",
        "speed or duplex differ between the ends",
    ),
    (
        "ethtool -m DEV  # light levels of the optic",
        "ethtool DEV | grep -E 'Speed|Duplex|Link'",
        "# change cable or optic: the link goes down meanwhile",
    ),
)
SIZE = Kind(
    ("the sender's or the switch's MTU is larger than this device's", "a faulty sender"),
    ("ip -d link show dev DEV  # MTU; all hosts of the segment must have the same", "ip link set dev DEV mtu N"),
)
FILTER = Kind(
    (
        "frames for other VLANs or hosts: the filter does its work",
        "a VLAN or MAC address that the device was not told of",
    ),
    ("bridge vlan show; ip -d link show dev DEV  # VLANs and MAC addresses", "ethtool -k DEV | grep vlan"),
)
XDP = Kind(
    ("the XDP program drops on purpose (a firewall, a balancer)", "a fault in the XDP program"),
    ("ip -d link show dev DEV | grep -i xdp; bpftool net show  # which program", "bpftool prog show id N"),
)
XDP_SENDING = Kind(
    ("the ring of the device that XDP sends through is full", "frames larger than the receiving device's MTU"),
    (
        "ip -d link show dev DEV | grep -i xdp; bpftool net show",
        "ethtool -g DEV; ethtool -l DEV  # as many queues as CPUs",
    ),
)
CLOUD = Kind(
    ("the instance sends or receives more than its type may", "bursts: the limit counts in much less than a second"),
    (
        "ethtool -S DEV | grep allowance  # which limit",
        "# spread the load over more instances, or take a larger type; nothing on the host lifts the limit",
    ),
)
SENDING = Kind(
    ("a packet that the device cannot send: too many fragments, a bad header", "no memory or DMA mapping", "link down"),
    (ALL, "dmesg | grep DEV", "ethtool -K DEV tso off gso off  # to try whether offloads are at fault; more CPU"),
)
STUCK = Kind(
    (
        "the device or its firmware hangs",
        "virtual: the host behind does not take packets",
        "pause frames from the switch",
    ),
    (
        "dmesg | grep -iE 'DEV|timeout|reset'",
        "ethtool -i DEV  # driver and firmware: is there a newer one?",
        "ethtool -a DEV",
    ),
)
CHECKSUM = Kind(
    ("damaged packets from the sender's side", "packets that a program or tunnel made with a wrong check sum"),
    ("nettui report protocols --where 'name ~ Csum'  # where they end", "tcpdump -vvni DEV | grep -i incorrect"),
)
DUPLEX = Kind(
    ("half duplex on one end and full duplex on the other", "a cable too long for half duplex"),
    ("ethtool DEV | grep -E 'Speed|Duplex'", "ethtool -s DEV autoneg on  # the link goes down for a moment"),
)


def pattern(
    place: str,
    names: tuple[str, ...],
    counts: str,
    cause: str,
    kind: Kind,
    source: str,
    *,
    severity: Severity = "loss",
    direction: Direction = "rx",
    layer: str = "device",
    drivers: tuple[str, ...] = (),
    part_of: tuple[str, ...] = (),
    along: tuple[str, ...] = (),
    reasons: tuple[str, ...] = (),
) -> Pattern:
    entry = Counter(
        name=f"ethtool.{place}",
        layer=layer,
        direction=direction,
        severity=severity,
        counts=counts,
        cause=cause,
        causes=kind.causes,
        remedies=kind.remedies,
        part_of=part_of,
        along=along,
        reasons=reasons,
        source=source,
    )
    return Pattern("|".join(names), entry, drivers)
