"""Rules of iptables from bytes: recorded ones beside what iptables-save said then, and ones that no kernel gave."""

from __future__ import annotations

import errno
import struct
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import INTERRUPTED, Block
from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.rules import by_table
from collectors.netfilter.told import NotTheirs, Records, Rules, told
from collectors.netfilter.xt import entry, extensions, legacy, nft_rule
from collectors.netfilter.xt.quoting import quoted
from collectors.netfilter.xt.setting import Setting
from collectors.netfilter.xt.user_data import commented
from collectors.table import Gap
from collectors.values import Codes
from collectors.wire.netlink import DecodeError, attribute, messages
from collectors.wire.templates import Templates, View, filled
from tests.collectors.hostile import quick
from tests.iptables_rules import NFT_MSG_NEWRULE, recorded

BOTH = pytest.mark.parametrize("family", [2, 10])
NAMES = {2: "ip", 10: "ip6"}


def lead(chain: str) -> str:
    return f"-A {chain}"


def nft_rules(data: bytes, family: int) -> Rules:
    found = messages(data).of(nfnetlink.kind(nfnetlink.NFTABLES, NFT_MSG_NEWRULE))
    tell = partial(nft_rule.tell, context=Context(family))
    return Rules.concatenate([told(records, Templates(tell), lead) for _, records, _ in by_table(found)])


def legacy_table(data: bytes, family: int) -> legacy.LegacyTable:
    (table,) = legacy.decode([Block(f"legacy {NAMES[family]} filter", data)])
    return table


def legacy_rules(data: bytes, family: int) -> Rules:
    table = legacy_table(data, family)
    return told(table.rules, Templates(entry.teller(family, table.jumps, {})), lead)


def normal(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


@BOTH
def test_recorded_rules_of_iptables_nft_are_what_iptables_save_printed(family):
    data, text = recorded(family, "nft")
    assert normal(nft_rules(data, family).texts) == normal(printed(text))


@BOTH
def test_recorded_rules_of_iptables_legacy_are_what_iptables_save_printed(family):
    data, text = recorded(family, "legacy")
    assert normal(legacy_rules(data, family).texts) == normal(printed(text))


def printed(text: str) -> list[str]:
    """The rules without their counters."""
    return [line.partition("] ")[2] for line in text.split("\n") if line.startswith("[")]


def test_a_thousand_rules_of_one_layout_are_told_by_one_look():
    one = expressions(payload(12, 4), cmp(bytes([10, 0, 0, 1])), jump("other"))
    data = b"".join(one.replace(bytes([10, 0, 0, 1]), bytes([10, 0, n >> 8, n & 255])) for n in range(1000))
    offsets = np.arange(1000) * len(one)
    records = Records(
        np.frombuffer(data, np.uint8),
        offsets,
        np.full(1000, len(one)),
        Codes.of(["INPUT"] * 1000),
        np.zeros(1000, np.uint64),
    )
    looks = []

    def tell(view: View):
        looks.append(view)
        return nft_rule.tell(view, Context(2))

    texts = told(records, Templates(tell), lead).texts
    assert len(looks) == 1
    assert texts[999] == "-A INPUT -s 10.0.3.231/32 -j other"
    assert len(set(texts)) == 1000


def test_a_comment_keeps_its_control_characters_and_escapes_its_quotes():
    comment = b'say "it\'s" \\ \x1b[31m'.ljust(256, b"\0")
    raw = expressions(extension("match", "comment", 0, comment), jump("other"))
    rule = nft_rule.tell(View(raw), Context(2))
    octets = np.frombuffer(raw, np.uint8)[None]
    assert filled(rule.text, octets) == [' -m comment --comment "say \\"it\\\'s\\" \\\\ \x1b[31m" -j other']
    assert filled(rule.comment, octets) == ['say "it\'s" \\ \x1b[31m']


def test_a_comment_in_user_data_is_told_as_the_last_match():
    one = expressions(meta(6), cmp(b"eth0\0"), jump("other"))
    padding = bytes(-len(one) % 4)
    data = np.frombuffer(one + padding + one + padding, np.uint8)
    offsets, lengths = np.array([0, len(data) // 2]), np.full(2, len(one))
    records = Records(data, offsets, lengths, Codes.of(["INPUT"] * 2), np.zeros(2, np.uint64))
    said = "by \x1b hand \udcff"
    octets = said.encode("utf-8", "surrogateescape") + b"\0"
    found = told(
        commented(records, [None, bytes([0, len(octets)]) + octets]),
        Templates(partial(nft_rule.tell, context=Context(2))),
        lead,
    )
    assert found.texts == ["-A INPUT -i eth0 -j other", f'-A INPUT -i eth0 -m comment --comment "{said}" -j other']
    assert found.comments.cells() == [None, said]


def test_a_device_that_has_gone_is_told_by_no_rule_of_a_layout_that_another_device_made():
    rules = [expressions(meta(4), cmp(struct.pack("=I", index)), jump("other")) for index in (3, 4)]
    offsets, lengths = np.array([0, len(rules[0])]), np.full(2, len(rules[0]))
    data = np.frombuffer(b"".join(rules), np.uint8)
    records = Records(data, offsets, lengths, Codes.of(["INPUT"] * 2), np.zeros(2, np.uint64))
    with pytest.raises(NotTheirs):
        told(records, Templates(partial(nft_rule.tell, context=Context(2, device={3: "eth0"}.get))), lead)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain_word-7", "plain_word-7"),
        (b"plain\0behind", "plain"),
        (b"", '""'),
        (b"two words", '"two words"'),
        (b"end\n", '"end\n"'),
        (b"a'b\"c\\d", '"a\\\'b\\"c\\\\d"'),
        (b"\xff", '"\udcff"'),
    ],
)
def test_quotes_stand_where_iptables_save_writes_them(value, text):
    assert quoted(value) == text


def test_unknown_extensions_are_named_inside_a_rule_that_is_otherwise_right():
    raw = expressions(extension("match", "future", 3, bytes(8)), extension("target", "BEYOND", 1, bytes(8)))
    assert text_of(raw) == "[match future] [target BEYOND]"
    setting = Setting(2)
    assert "".join(map(str, extensions.match("tcp", 77, View(bytes(12)), setting))) == " [match tcp]"


def text_of(raw: bytes, family: int = 2) -> str:
    rule = nft_rule.tell(View(raw), Context(family))
    return filled(rule.text, np.frombuffer(raw, np.uint8)[None])[0].removeprefix(" ")


# nf_tables' expressions


def expressions(*each: bytes) -> bytes:
    return b"".join(each)


def expression(name: str, *attributes: bytes) -> bytes:
    return attribute(1, attribute(1, name.encode() + b"\0") + attribute(2, b"".join(attributes)))


def u32(number: int, value: int) -> bytes:
    return attribute(number, struct.pack(">I", value))


def payload(offset: int, length: int, base: int = 1) -> bytes:
    return expression("payload", u32(1, 1), u32(2, base), u32(3, offset), u32(4, length))


def cmp(value: bytes, operator: int = 0) -> bytes:
    return expression("cmp", u32(1, 1), u32(2, operator), attribute(3, attribute(1, value)))


def meta(key: int) -> bytes:
    return expression("meta", u32(2, key), u32(1, 1))


def jump(chain: str) -> bytes:
    verdict = attribute(2, u32(1, 0xFFFFFFFD) + attribute(2, chain.encode() + b"\0"))
    return expression("immediate", u32(1, 0), attribute(2, verdict))


def extension(kind: str, name: str, revision: int, info: bytes) -> bytes:
    return expression(kind, attribute(1, name.encode() + b"\0"), u32(2, revision), attribute(3, info))


@pytest.mark.parametrize(
    "raw",
    [
        expression("xfrm"),
        cmp(b"\1"),  # of a register that holds nothing
        expressions(meta(99), cmp(b"\1\0\0\0")),
        expressions(meta(6), cmp(bytes(17))),
        expressions(payload(12, 8), cmp(bytes(8))),
        expressions(payload(1, 1), cmp(b"\1")),
        expressions(payload(12, 4), cmp(bytes(4), operator=3)),
        expressions(payload(2, 2, base=2), cmp(b"\0\x50")),
        expressions(jump("one"), jump("two")),
        expression("limit", attribute(1, bytes(8)), attribute(2, bytes(8))),
    ],
)
def test_what_iptables_could_not_have_written_is_not_its_own(raw):
    with pytest.raises(NotTheirs):
        nft_rule.tell(View(raw), Context(2))


@pytest.mark.parametrize(
    "raw", [expression("cmp", u32(2, 0)), expression("counter"), expression("match"), b"\xff\0\1\0"]
)
def test_expressions_without_what_they_need_are_refused(raw):
    with pytest.raises((DecodeError, NotTheirs)):
        nft_rule.tell(View(raw), Context(2))


# struct ipt_entry and the tables of them


def target(name: str, data: bytes) -> bytes:
    return struct.pack("=H29sB", 32 + len(data), name.encode(), 0) + data


def ipt_entry(after: bytes, target_offset: int | None = None, length: int | None = None) -> bytes:
    head = bytes(88) + struct.pack("=HHIQQ", target_offset or 112, length or 112 + len(after), 0, 0, 0)
    return head + after


def verdict(number: int) -> bytes:
    return ipt_entry(target("", struct.pack("=iI", number, 0)))


def head(name: str) -> bytes:
    return ipt_entry(target("ERROR", name.encode().ljust(32, b"\0")))


def ipt_table(*entries: bytes, hooks: dict[int, int] | None = None) -> bytes:
    """``hooks``: number of the entry where each hook enters."""
    starts = [sum(map(len, entries[:number])) for number in range(len(entries))]
    valid = sum(1 << hook for hook in hooks or {})
    entered = [starts[(hooks or {}).get(hook, 0)] for hook in range(5)]
    data = b"".join(entries)
    return struct.pack("=32sI5I5III", b"filter", valid, *entered, *[0] * 5, len(entries), len(data)) + data


def test_a_rule_that_goes_on_with_the_next_one_has_no_target():
    size = len(verdict(0))
    blob = ipt_table(verdict(size), verdict(-2), head("ERROR"), hooks={1: 0})
    rules = legacy_rules(blob, 2)
    assert rules.texts == ["-A INPUT"]
    assert rules.verdicts.cells() == [""]


def test_a_jump_names_the_chain_whose_first_entry_it_leads_to():
    size, heading = len(verdict(0)), len(head("x"))
    blob = ipt_table(
        verdict(2 * size + heading), verdict(-1), head("mine"), verdict(-5), verdict(-5), head("ERROR"), hooks={1: 0}
    )
    table = legacy_table(blob, 2)
    assert [(chain.name, chain.hook, chain.policy) for chain in table.chains] == [
        ("INPUT", "input", "drop"),
        ("mine", None, None),
    ]
    assert legacy_rules(blob, 2).verdicts.cells() == ["jump mine", "return"]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        bytes(83),
        ipt_table(verdict(-2)[:100], hooks={1: 0}),
        ipt_table(ipt_entry(b"", length=0xFFFF), hooks={1: 0}),
        ipt_table(ipt_entry(target("", bytes(8)), length=1), hooks={1: 0}),
        ipt_table(ipt_entry(target("", bytes(8)), target_offset=0xFFFF), hooks={1: 0}),
        ipt_table(ipt_entry(target("", bytes(8)), target_offset=8), hooks={1: 0}),
        ipt_table(verdict(-2), head("ERROR")),  # of no chain
        ipt_table(head("empty"), head("ERROR")),
        ipt_table(ipt_entry(target("", b"")), head("ERROR"), hooks={1: 0}),
    ],
)
def test_tables_whose_entries_do_not_lie_one_behind_the_other_are_refused(blob):
    with pytest.raises(DecodeError):
        legacy_table(blob, 2)


@pytest.mark.parametrize("size", [0, 31, 4000])
def test_matches_that_do_not_lie_one_behind_the_other_are_refused(size):
    match = struct.pack("=H29sB", size, b"tcp", 0) + bytes(16)
    ruled = ipt_entry(match + target("", struct.pack("=iI", -2, 0)), target_offset=112 + len(match))
    with pytest.raises(DecodeError):
        legacy_rules(ipt_table(ruled, verdict(-2), head("ERROR"), hooks={1: 0}), 2)


@BOTH
def test_a_table_cut_anywhere_is_refused_or_told(family):
    data, _ = recorded(family, "legacy")
    for size in range(0, len(data), 7):
        with suppress(DecodeError):
            legacy_rules(data[:size], family)


@BOTH
@quick
@given(changes=st.lists(st.tuples(st.integers(84, 12000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_changed_table_is_refused_or_told(family, changes):
    with suppress(DecodeError):
        rules = legacy_rules(changed(recorded(family, "legacy")[0], changes), family)
        assert all(isinstance(text, str) for text in rules.texts)


@BOTH
@quick
@given(changes=st.lists(st.tuples(st.integers(36, 14000), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_expressions_are_refused_or_told_or_left_to_nft(family, changes):
    with suppress(DecodeError, NotTheirs, OSError):
        rules = nft_rules(changed(recorded(family, "nft")[0], changes), family)
        assert all(isinstance(text, str) for text in rules.texts)


def changed(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    made = bytearray(data)
    for at, byte in changes:
        made[at] = byte
    return bytes(made)


class Barred:
    """A host whose files a user may not read."""

    def read(self, path: str) -> bytes:
        raise PermissionError(path)


class Without:
    """A host whose kernel has no xtables."""

    def read(self, path: str) -> bytes:
        raise FileNotFoundError(path)


def test_tables_that_may_not_be_read_are_a_gap_and_those_that_are_not_there_are_none():
    assert [type(item) for item in legacy.read(Barred())] == [Gap, Gap]
    assert list(legacy.read(Without())) == []


def test_a_table_that_changes_its_size_again_and_again_is_a_gap(monkeypatch):
    asked = []

    def ask(sock, level, option, question, room):
        asked.append(option)
        if option == legacy.IPT_SO_GET_ENTRIES:
            raise BlockingIOError(errno.EAGAIN, "size")
        return ipt_table(verdict(-2), head("ERROR"), hooks={1: 0})[: legacy.GETINFO.size]

    monkeypatch.setattr(legacy, "ask", ask)  # a race that no test can be sure to win
    assert list(legacy.read_tables(None, "ip", ["filter"])) == [INTERRUPTED]
    assert len(asked) == 2 * legacy.ATTEMPTS


def test_a_table_that_is_replaced_between_the_questions_is_asked_for_again(monkeypatch):
    """Of the same size, but its hooks enter elsewhere."""
    old, new = (ipt_table(verdict(-2), head("ERROR"), hooks={hook: 0}) for hook in (1, 2))
    infos = iter([old, new, new, new])

    def ask(sock, level, option, question, room):
        if option == legacy.IPT_SO_GET_INFO:
            return next(infos)[: legacy.GETINFO.size]
        return bytes(legacy.GET_ENTRIES.size) + new[legacy.GETINFO.size :]

    monkeypatch.setattr(legacy, "ask", ask)
    (block,) = legacy.read_tables(None, "ip", ["filter"])
    assert block.data == new


def test_a_table_that_has_gone_meanwhile_is_passed_over(monkeypatch):
    def ask(*question):
        raise FileNotFoundError(errno.ENOENT, "filter")

    monkeypatch.setattr(legacy, "ask", ask)
    assert list(legacy.read_tables(None, "ip6", ["filter"])) == []
