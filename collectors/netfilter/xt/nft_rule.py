"""Rules of iptables-nft and ip6tables-nft: nf_tables' expressions told as iptables-nft-save prints them.

What iptables could not have written raises NotTheirs. (iptables/nft-ruleparse.c reads; nft-ipv4.c, nft-ipv6.c write.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from collectors.netfilter.nft.model import Context
from collectors.netfilter.told import NotTheirs, Told
from collectors.netfilter.xt import extensions, nft_match, parts
from collectors.netfilter.xt.nft_match import NFT_CMP_EQ, NFT_CMP_NEQ, Ports
from collectors.netfilter.xt.setting import NFPROTO_IPV4, Setting
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import Pieces, Place, View, told_string

Attributes = dict[int, View]

# uapi linux/netfilter/nf_tables.h
NFTA_EXPR_NAME, NFTA_EXPR_DATA = 1, 2
NFTA_DATA_VALUE, NFTA_DATA_VERDICT, NFTA_VERDICT_CODE, NFTA_VERDICT_CHAIN = 1, 2, 1, 2
PAYLOAD_DREG, PAYLOAD_BASE, PAYLOAD_OFFSET, PAYLOAD_LEN = range(1, 5)
META_DREG, META_KEY, META_SREG = range(1, 4)
BITWISE_SREG, BITWISE_DREG, BITWISE_LEN, BITWISE_MASK, BITWISE_XOR, BITWISE_OP = range(1, 7)
CMP_SREG, CMP_OP, CMP_DATA = range(1, 4)
RANGE_SREG, RANGE_OP, RANGE_FROM, RANGE_TO = range(1, 5)
IMMEDIATE_DREG, IMMEDIATE_DATA = 1, 2
COUNTER_BYTES, COUNTER_PACKETS = 1, 2
EXTENSION_NAME, EXTENSION_REV, EXTENSION_INFO = 1, 2, 3
NETWORK_HEADER, TRANSPORT_HEADER = 1, 2
META_MARK, META_IIF, META_OIF, META_IIFNAME, META_OIFNAME, META_L4PROTO, META_PKTTYPE, META_NFTRACE = (
    3, 4, 5, 6, 7, 16, 19, 12,
)  # fmt: skip
NF_DROP, NF_ACCEPT, NFT_RETURN, NFT_GOTO, NFT_JUMP, NFT_CONTINUE = 0, 1, -5, -4, -3, -1
VERDICTS = {NF_DROP: ("DROP", "drop"), NF_ACCEPT: ("ACCEPT", "accept"), NFT_RETURN: ("RETURN", "return")}

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
NO_DEVICE = b"INVAL/D\0"  # a name that no device can have: "! -i +"


@dataclass
class Load:
    """What a register holds: bytes of a packet, or what the kernel knows of it; with a mask if one was laid over."""

    base: int | None = None
    offset: int = 0
    length: int = 0
    key: int | None = None
    value: View | None = None
    mask: View | None = None


@dataclass
class Reading:
    """One rule, as far as its expressions were read."""

    context: Context
    setting: Setting
    registers: dict[int, Load] = field(default_factory=dict)
    options: dict[str, Pieces] = field(default_factory=dict)  # by letter
    matches: list[Pieces | Ports] = field(default_factory=list)
    protocol: int = 0
    target: Pieces = ()
    verdict: Pieces = ()
    comment: Pieces = ()
    packets: Place | None = None
    bytes: Place | None = None

    def told(self) -> Told:
        options = [self.options.get(letter, ()) for letter in "sdiopf"]
        matches = [match.pieces() if isinstance(match, Ports) else match for match in self.matches]
        text = parts.joined([*options, *matches, self.target])
        return Told(text, self.verdict, self.comment, self.packets, self.bytes)

    def option(self, letter: str, pieces: Pieces) -> None:
        if letter in self.options:
            raise NotTheirs(f"-{letter} twice")
        self.options[letter] = pieces

    def end(self, target: Pieces, verdict: Pieces = ()) -> None:
        if self.target:
            raise NotTheirs("two targets")
        self.target, self.verdict = target, verdict

    def ports(self) -> Ports:
        """The match of this protocol's ports that is there already, or a new one."""
        name = {TCP: "tcp", UDP: "udp"}[self.protocol]
        for match in self.matches:
            if isinstance(match, Ports) and match.name == name:
                return match
        self.matches.append(found := Ports(name))
        return found

    def load(self, register: View) -> Load:
        found = self.registers.get(register.number())
        if found is None:
            raise NotTheirs("a register that nothing was loaded to")
        return found


def tell(expressions: View, context: Context) -> Told:
    """A rule from its NFTA_RULE_EXPRESSIONS."""
    reading = Reading(context, Setting(context.family, context.ipsets))
    for _, element in expressions.attributes():
        found = element.attribute_map()
        name = found[NFTA_EXPR_NAME].text() if NFTA_EXPR_NAME in found else ""
        reader = READERS.get(name)
        if reader is None:
            raise NotTheirs(name)
        data = found[NFTA_EXPR_DATA].attribute_map() if NFTA_EXPR_DATA in found else {}
        try:
            reader(reading, data)
        except KeyError as missing:
            raise DecodeError(element.start, f"{name} without attribute {missing}") from missing
    return reading.told()


def read_counter(reading: Reading, data: Attributes) -> None:
    reading.packets, reading.bytes = data[COUNTER_PACKETS].place(">u8"), data[COUNTER_BYTES].place(">u8")


def read_payload(reading: Reading, data: Attributes) -> None:
    base, offset, length = (data[key].number() for key in (PAYLOAD_BASE, PAYLOAD_OFFSET, PAYLOAD_LEN))
    reading.registers[data[PAYLOAD_DREG].number()] = Load(base, offset, length)


def read_meta(reading: Reading, data: Attributes) -> None:
    key = data[META_KEY].number()
    if META_SREG not in data:
        reading.registers[data[META_DREG].number()] = Load(key=key)
        return
    value = reading.load(data[META_SREG]).value
    if key != META_NFTRACE or value is None or not any(value.octets()):
        raise NotTheirs("meta set")
    reading.end((" -j TRACE",))


def read_bitwise(reading: Reading, data: Attributes) -> None:
    load = reading.load(data[BITWISE_SREG])
    operation = data[BITWISE_OP].number() if BITWISE_OP in data else 0
    if operation or load.mask is not None or any(value(data[BITWISE_XOR]).octets()):
        raise NotTheirs("bitwise")
    masked = Load(load.base, load.offset, load.length, load.key, load.value, value(data[BITWISE_MASK]))
    reading.registers[data[BITWISE_DREG].number()] = masked


def value(data: View) -> View:
    return data.attribute_map()[NFTA_DATA_VALUE]


def read_cmp(reading: Reading, data: Attributes) -> None:
    load, operator, wanted = reading.load(data[CMP_SREG]), data[CMP_OP].number(), value(data[CMP_DATA])
    if load.key is not None:
        compare_meta(reading, load, operator, wanted)
    elif load.base == NETWORK_HEADER:
        compare_header(reading, load, operator, wanted)
    elif load.base == TRANSPORT_HEADER:
        compare_transport(reading, load, operator, wanted)
    else:
        raise NotTheirs("cmp")


def inversion(operator: int) -> bool:
    if operator not in (NFT_CMP_EQ, NFT_CMP_NEQ):
        raise NotTheirs("cmp operator")
    return operator == NFT_CMP_NEQ


def compare_meta(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    inverted = inversion(operator)
    if load.key == META_MARK:
        reading.matches.append(nft_match.mark(wanted, load.mask, inverted))
        return
    if load.mask is not None:
        raise NotTheirs("mask")
    if load.key == META_L4PROTO:
        compare_protocol(reading, wanted, inverted)
    elif load.key in (META_IIFNAME, META_OIFNAME):
        compare_name(reading, "i" if load.key == META_IIFNAME else "o", wanted, inverted)
    elif load.key in (META_IIF, META_OIF):
        letter = "i" if load.key == META_IIF else "o"
        reading.option(letter, parts.device(letter, wanted, device_name(reading.context, wanted), inverted))
    elif load.key == META_PKTTYPE:
        reading.matches.append(nft_match.packet_type(wanted, inverted, reading.setting))
    else:
        raise NotTheirs("meta")


def compare_protocol(reading: Reading, wanted: View, inverted: bool) -> None:
    number = wanted.number("=B")
    reading.protocol = number
    reading.option("p", (parts.protocol(number, inverted),))


def compare_name(reading: Reading, letter: str, wanted: View, inverted: bool) -> None:
    """A device's name with its NUL, or the beginning of names without one."""
    if len(wanted) == len(NO_DEVICE) and wanted.part(0, 1).octets() == b"I" and wanted.octets() == NO_DEVICE:
        reading.option(letter, (f"{parts.flag(letter, True)} +",))
        return
    if not 0 < len(wanted) <= parts.IFNAMSIZ:
        raise NotTheirs("length of a device's name")
    reading.option(letter, parts.device(letter, wanted, name_or_start, inverted))


def name_or_start(octets: bytes) -> str:
    return told_string(octets) + ("+" if octets[-1] else "")


def device_name(context: Context, index: View) -> Callable[[bytes], str]:
    """The name of an ifindex; a device that has gone leaves the rule to nft, which tells the number."""
    form = "=I" if len(index) == 4 else ""
    if not form or context.device(index.number(form)) is None:
        raise NotTheirs("ifindex")
    return lambda octets: context.device(int.from_bytes(octets, "little")) or ""


def compare_header(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    ipv4 = reading.setting.family == NFPROTO_IPV4
    size, source, destination, hops = (4, 12, 16, 8) if ipv4 else (16, 8, 24, 7)
    if load.offset in (source, destination) and load.length <= size:
        compare_address(reading, "s" if load.offset == source else "d", load, operator, wanted, size)
    elif load.offset == hops and load.length == 1 and load.mask is None:
        reading.matches.append(nft_match.hops(wanted, operator, reading.setting))
    elif ipv4 and load.offset == 9 and load.length == 1 and load.mask is None:
        compare_protocol(reading, wanted, inversion(operator))
    elif ipv4 and load.offset == 6 and load.mask is not None and load.mask.octets() == b"\x1f\xff":
        reading.option("f", (parts.fragment(not inversion(operator)),))
    else:
        raise NotTheirs("header")


def compare_address(reading: Reading, letter: str, load: Load, operator: int, wanted: View, size: int) -> None:
    inverted = inversion(operator)
    mask = load.mask.octets() if load.mask is not None else b"\xff" * load.length
    if not any(mask) and not inverted:
        return
    if len(mask) > size or len(wanted) > size:
        raise NotTheirs("address")
    mask = mask.ljust(size, b"\0")
    reading.option(letter, parts.addressed(letter, wanted, mask, inverted, reading.setting.family))


def compare_transport(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    if reading.protocol in (ICMP, ICMPV6):
        if operator != NFT_CMP_EQ or load.mask is not None or load.offset or load.length not in (1, 2):
            raise NotTheirs("icmp")
        reading.matches.append(nft_match.icmp(wanted, reading.setting))
    elif reading.protocol not in (TCP, UDP):
        raise NotTheirs("transport header")
    elif reading.protocol == TCP and (load.offset, load.length) == (13, 1):
        mask = 0xFF if load.mask is None else load.mask.number("=B")
        reading.ports().flagged(wanted.number("=B"), mask, inversion(operator))
    else:
        compare_ports(reading.ports(), load, operator, wanted)


def compare_ports(ports: Ports, load: Load, operator: int, wanted: View) -> None:
    sides = {(0, 2): (nft_match.SOURCE,), (2, 2): (nft_match.DESTINATION,), (0, 4): nft_match.SIDES}
    if load.mask is not None or (load.offset, load.length) not in sides or len(wanted) != load.length:
        raise NotTheirs("ports")
    for at, side in enumerate(sides[load.offset, load.length]):
        ports.one(side, operator, wanted.part(2 * at, 2))


def read_range(reading: Reading, data: Attributes) -> None:
    load, low, high = reading.load(data[RANGE_SREG]), value(data[RANGE_FROM]), value(data[RANGE_TO])
    side = {0: nft_match.SOURCE, 2: nft_match.DESTINATION}.get(load.offset)
    if load.base != TRANSPORT_HEADER or load.length != 2 or load.mask is not None or side is None:
        raise NotTheirs("range")
    if reading.protocol not in (TCP, UDP):
        raise NotTheirs("transport header")
    reading.ports().range(side, low, high, bool(data[RANGE_OP].number()))


def read_immediate(reading: Reading, data: Attributes) -> None:
    found = data[IMMEDIATE_DATA].attribute_map()
    if NFTA_DATA_VERDICT not in found:
        reading.registers[data[IMMEDIATE_DREG].number()] = Load(value=found[NFTA_DATA_VALUE])
        return
    verdict = found[NFTA_DATA_VERDICT].attribute_map()
    code = verdict[NFTA_VERDICT_CODE].number(">i")
    if code in VERDICTS:
        name, word = VERDICTS[code]
        reading.end((f" -j {name}",), (word,))
    elif code in (NFT_JUMP, NFT_GOTO):
        chain = verdict[NFTA_VERDICT_CHAIN].hole(told_string)
        letter, word = ("g", "goto") if code == NFT_GOTO else ("j", "jump")
        reading.end((f" -{letter} ", chain), (f"{word} ", chain))
    elif code != NFT_CONTINUE:
        raise NotTheirs("verdict")


def read_match(reading: Reading, data: Attributes) -> None:
    name, revision = data[EXTENSION_NAME].text(), data[EXTENSION_REV].number()
    info = data[EXTENSION_INFO]
    reading.comment = reading.comment or parts.remark(name, info)
    reading.matches.append(extensions.match(name, revision, info, reading.setting))


def read_target(reading: Reading, data: Attributes) -> None:
    name, revision = data[EXTENSION_NAME].text(), data[EXTENSION_REV].number()
    verdict = parts.VERDICTS.get(name)
    text = extensions.target(name, revision, data[EXTENSION_INFO], reading.setting)
    reading.end(text, (verdict,) if verdict else ())


def read_limit(reading: Reading, data: Attributes) -> None:
    reading.matches.append(nft_match.limit(data, reading.setting))


def read_log(reading: Reading, data: Attributes) -> None:
    reading.end(nft_match.log(data, reading.setting))


READERS: dict[str, Callable[[Reading, Attributes], None]] = {
    "counter": read_counter,
    "payload": read_payload,
    "meta": read_meta,
    "bitwise": read_bitwise,
    "cmp": read_cmp,
    "range": read_range,
    "immediate": read_immediate,
    "match": read_match,
    "target": read_target,
    "limit": read_limit,
    "log": read_log,
}
