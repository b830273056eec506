"""Rules of iptables-legacy, ip6tables-legacy: struct ipt_entry, ip6t_entry as iptables-legacy-save prints them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from collectors.netfilter.told import Told
from collectors.netfilter.xt import extensions, parts
from collectors.netfilter.xt.setting import NFPROTO_IPV4, NFPROTO_IPV6, Setting
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import Hole, Pieces, View


@dataclass(frozen=True, slots=True)
class Form:
    """Where the fields of an entry stand."""

    address: int  # its length; source, destination and the masks of both follow each other from 0
    names: int  # iniface, outiface and the masks of both
    protocol: int
    flags: int
    inversions: int
    target_offset: int
    next_offset: int
    comefrom: int
    counters: int
    size: int
    goto: int  # bit of the flags


# uapi linux/netfilter_ipv4/ip_tables.h
# struct ipt_ip { struct in_addr src, dst, smsk, dmsk; char iniface[16], outiface[16]; unsigned char iniface_mask[16],
#   outiface_mask[16]; __u16 proto; __u8 flags; __u8 invflags; };
# struct ipt_entry { struct ipt_ip ip; unsigned int nfcache; __u16 target_offset; __u16 next_offset;
#   unsigned int comefrom; struct xt_counters { __u64 pcnt, bcnt; } counters; unsigned char elems[]; };
IPT_ENTRY = Form(4, 16, 80, 82, 83, 88, 90, 92, 96, 112, 0x02)
# uapi linux/netfilter_ipv6/ip6_tables.h
# struct ip6t_ip6 { struct in6_addr src, dst, smsk, dmsk; char iniface[16], outiface[16]; unsigned char
#   iniface_mask[16], outiface_mask[16]; __u16 proto; __u8 tos; __u8 flags; __u8 invflags; };
# struct ip6t_entry { struct ip6t_ip6 ipv6; ... as above; };
IP6T_ENTRY = Form(16, 64, 128, 131, 132, 140, 142, 144, 152, 168, 0x04)
FORMS = {NFPROTO_IPV4: IPT_ENTRY, NFPROTO_IPV6: IP6T_ENTRY}

IPT_F_FRAG = 0x01
INV_VIA_IN, INV_VIA_OUT, INV_SRCIP, INV_DSTIP, INV_FRAG, INV_PROTO = 0x01, 0x02, 0x08, 0x10, 0x20, 0x40

# struct xt_entry_match, xt_entry_target { __u16 size; char name[29]; __u8 revision; unsigned char data[]; };
EXTENSION, NAME = 32, 29
STANDARD = ""
# struct xt_standard_target { struct xt_entry_target target; int verdict; }: below 0 is -(what the hook returns) - 1
VERDICTS = {-1: ("DROP", "drop"), -2: ("ACCEPT", "accept"), -4: ("QUEUE", "queue"), -5: ("RETURN", "return")}


def teller(family: int, chains: Mapping[int, str], set_names: Mapping[int, str]) -> Callable[[View], Told]:
    """Tells entries of one table; ``chains``: names by the offset that a jump to the chain names."""
    return partial(tell, form=FORMS[family], chains=chains, setting=Setting(family, set_names))


def tell(entry: View, form: Form, chains: Mapping[int, str], setting: Setting) -> Told:
    flags, inversions = entry.number("=B", form.flags), entry.number("=B", form.inversions)
    target_offset = entry.number("=H", form.target_offset)
    for at, size in ((form.target_offset - 4, 4), (form.comefrom, 4)):  # nfcache, comefrom: the kernel's own
        entry.part(at, size).ignore()
    options = ip_options(entry, form, flags, inversions, setting.family)
    matches: list[Pieces] = []
    comment: Pieces = ()
    for name, revision, data in extensions_of(entry.part(0, target_offset), form.size):
        comment = comment or parts.remark(name, data)
        matches.append(extensions.match(name, revision, data, setting))
    target, verdict = told_target(entry.part(target_offset), bool(flags & form.goto), chains, setting)
    packets, octets = (entry.part(form.counters + at, 8).place("=u8") for at in (0, 8))
    return Told(parts.joined([*options, *matches, target]), verdict, comment, packets, octets)


def ip_options(entry: View, form: Form, flags: int, inversions: int, family: int) -> Iterator[Pieces]:
    """-s -d -i -o -p -f in iptables-save's order."""
    for letter, at, bit in (("s", 0, INV_SRCIP), ("d", 1, INV_DSTIP)):
        value = entry.part(at * form.address, form.address)
        mask = entry.part((at + 2) * form.address, form.address).octets()
        if any(mask) or inversions & bit or (family == NFPROTO_IPV4 and any(value.octets())):
            yield parts.addressed(letter, value, mask, inversions & bit, family)
    for letter, at, bit in (("i", 0, INV_VIA_IN), ("o", 1, INV_VIA_OUT)):
        name = entry.part(form.names + at * parts.IFNAMSIZ, parts.IFNAMSIZ)
        mask = entry.part(form.names + (at + 2) * parts.IFNAMSIZ, parts.IFNAMSIZ).octets()
        if mask[0]:
            yield parts.device(letter, name, partial(masked_name, length=len(mask.split(b"\0")[0])), inversions & bit)
    yield (parts.protocol(entry.number("=H", form.protocol), inversions & INV_PROTO),)
    if family == NFPROTO_IPV4 and flags & IPT_F_FRAG:
        yield (parts.fragment(inversions & INV_FRAG),)


def masked_name(octets: bytes, length: int) -> str:
    """A device's name of which ``length`` bytes are compared: without its NUL among them, the beginning of names."""
    open_end = length < len(octets) and octets[length - 1]
    return octets[:length].replace(b"\0", b"").decode("utf-8", "surrogateescape") + ("+" if open_end else "")


def extensions_of(entry: View, start: int) -> Iterator[tuple[str, int, View]]:
    """Name, revision and struct of each match that stands from ``start`` to the end of ``entry``."""
    while start < len(entry):
        size = entry.number("=H", start)
        if size < EXTENSION:
            raise DecodeError(entry.start + start, f"match of {size} bytes")
        yield extension(entry.part(start, size))
        start += size


def extension(view: View) -> tuple[str, int, View]:
    return view.part(2, NAME).text(), view.number("=B", 2 + NAME), view.part(EXTENSION)


def told_target(view: View, goto: bool, chains: Mapping[int, str], setting: Setting) -> tuple[Pieces, Pieces]:
    """What the entry ends with as iptables-save prints it, and in nft's words."""
    size = view.number("=H")
    if size < EXTENSION:
        raise DecodeError(view.start, f"target of {size} bytes")
    name, revision, data = extension(view.part(0, size))
    if name == STANDARD:
        verdict = data.part(0, 4)
        return (standard(verdict, chains, goto),), (standard_word(verdict, chains, goto),)
    word = parts.VERDICTS.get(name)
    return extensions.target(name, revision, data, setting), (word,) if word else ()


def standard(verdict: View, chains: Mapping[int, str], goto: bool) -> Hole:
    """-j or -g; nothing where the packet goes on with the next rule, which the kernel keeps as a jump to it."""

    def tell(octets: bytes) -> str:
        number = signed(octets)
        name = chains.get(number) if number >= 0 else VERDICTS.get(number, (str(number),))[0]
        return f" -{'g' if goto else 'j'} {name}" if name is not None else ""

    return verdict.hole(tell)


def standard_word(verdict: View, chains: Mapping[int, str], goto: bool) -> Hole:
    def tell(octets: bytes) -> str:
        number = signed(octets)
        if number < 0:
            return VERDICTS.get(number, ("", str(number)))[1]
        return f"{'goto' if goto else 'jump'} {chains[number]}" if number in chains else ""

    return verdict.hole(tell)


def signed(octets: bytes) -> int:
    return int.from_bytes(octets, sys.byteorder, signed=True)
