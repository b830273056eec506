"""Rules of nf_tables told as nft prints them: recorded ones, made ones, shared layouts, hostile bytes."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.netfilter.nft import rule
from collectors.netfilter.nft.model import Context, NftSet
from collectors.netfilter.told import Records, Rules, Told, told
from collectors.values import Codes
from collectors.wire.netlink import DecodeError, attribute
from collectors.wire.templates import Hole, Marks, Templates, View, filled
from tests import nft_rules
from tests.collectors.hostile import quick
from tests.parity.netfilter import normalised

INET, IP = Context(1), Context(2)
DEVICES = {1: "lo"}
BLOCKS, LISTED = nft_rules.recorded()
RECORDED = [
    (context, records.data[offset : offset + length].tobytes(), (context.family, context.table, handle))
    for context, records in nft_rules.told_by(BLOCKS, DEVICES)
    for offset, length, handle in zip(
        records.offsets.tolist(), records.lengths.tolist(), records.handles.tolist(), strict=True
    )
]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone in which the rules were recorded: nft writes hours and dates in local time."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def nested(*attributes: tuple[int, bytes]) -> bytes:
    return b"".join(attribute(number, payload) for number, payload in attributes)


def expression(name: str, *attributes: tuple[int, bytes | int]) -> bytes:
    """One expression; a number is a big-endian u32."""
    data = nested(*((key, struct.pack(">I", value) if isinstance(value, int) else value) for key, value in attributes))
    return attribute(1, nested((1, name.encode() + b"\0"), (2, data)))


def value(octets: bytes) -> bytes:
    return nested((1, octets))


def counter(packets: int, octets: int) -> bytes:
    return expression("counter", (1, struct.pack(">Q", octets)), (2, struct.pack(">Q", packets)))


def cmp(octets: bytes, operator: int = 0) -> bytes:
    return expression("cmp", (1, 8), (2, operator), (3, value(octets)))


def verdict(code: int, *chain: str) -> bytes:
    inside = nested((1, struct.pack(">i", code)), *((2, name.encode() + b"\0") for name in chain))
    return expression("immediate", (1, 0), (2, nested((2, inside))))


SADDR = expression("payload", (1, 8), (2, 1), (3, 12), (4, 4))
MARK = expression("meta", (1, 8), (2, 3))
ACCEPT, DROP = verdict(1), verdict(0)


def told_rules(rules: Sequence[bytes], context: Context = IP) -> tuple[Rules, int]:
    """Rules of one table, and how many layouts they have."""
    calls = []

    def tell(view: View) -> Told:
        calls.append(view)
        return rule.tell(view, context)

    padded = [octets + bytes(-len(octets) % 4) for octets in rules]
    lengths = np.array([len(octets) for octets in rules], np.intp)
    sizes = np.array([len(octets) for octets in padded], np.intp)
    data = np.frombuffer(b"".join(padded), np.uint8)
    count = len(rules)
    records = Records(
        data, np.cumsum(sizes) - sizes, lengths, Codes.of(["c"] * count), np.arange(count, dtype=np.uint64)
    )
    return told(records, Templates(tell), lambda chain: ""), len(calls)


def text(*expressions: bytes, context: Context = IP) -> str:
    return told_rules([b"".join(expressions)], context)[0].texts[0]


def test_recorded_rules_are_told_as_nft_listed_them():
    ours = {key: normalised(told_rules([octets], context)[0].texts[0]) for context, octets, key in RECORDED}
    assert len(LISTED) > 250
    assert ours == LISTED


def test_rules_that_differ_in_values_are_told_by_one_call():
    rules = [
        b"".join([SADDR, cmp(bytes([10, 0, row >> 8, row & 255])), counter(row, row * 100), ACCEPT])
        for row in range(2_003)
    ]
    found, calls = told_rules(rules)
    assert calls == 1
    assert found.texts[259] == "ip saddr 10.0.1.3 counter packets 259 bytes 25900 accept"
    assert found.packets.tolist() == list(range(2_003))
    assert found.bytes[259] == 25_900
    assert found.counted.all()
    assert set(found.verdicts.cells()) == {"accept"}


def test_a_protocol_that_a_rule_names_is_part_of_its_layout():
    protocol, port = expression("meta", (1, 8), (2, 16)), expression("payload", (1, 8), (2, 2), (3, 2), (4, 2))
    rules = [b"".join([protocol, cmp(bytes([number])), port, cmp(b"\0\x35")]) for number in (6, 17, 132)]
    found, calls = told_rules(rules)
    assert calls == 3
    assert found.texts == ["tcp dport 53", "udp dport 53", "sctp dport 53"]


@pytest.mark.parametrize(
    ("expressions", "said"),
    [
        ([verdict(-3, "other")], "jump other"),
        ([verdict(-4, "other")], "goto other"),
        ([verdict(-5)], "return"),
        ([verdict(-1)], ""),
        ([counter(1, 2), DROP], "drop"),
        ([expression("queue", (1, b"\0\1"), (2, b"\0\1"), (3, b"\0\0"))], "queue"),
        ([expression("reject", (1, 1), (2, b"\0"))], "reject"),
        ([expression("masq")], "masquerade"),
        ([expression("redir")], "redirect"),
        ([expression("lookup", (1, b"vm\0"), (2, 8), (3, 0))], "vmap"),
        ([expression("nat", (1, 0), (2, 2), (3, 8))], "snat"),
        ([expression("nat", (1, 1), (2, 2), (3, 8))], "dnat"),
        ([counter(1, 2)], ""),
    ],
)
def test_the_verdict_of_a_rule(expressions, said):
    address = expression("immediate", (1, 8), (2, value(b"\1\2\3\4")))
    assert told_rules([b"".join([address, *expressions])])[0].verdicts.cells() == [said or None]


@pytest.mark.parametrize(
    ("number", "total", "flags", "said"),
    [
        (0, 1, 0, "queue to 0"),
        (3, 1, 1, "queue flags bypass to 3"),
        (1, 5, 0, "queue to 1-5"),
        (2, 3, 3, "queue flags bypass,fanout to 2-4"),
    ],
)
def test_queues(number, total, flags, said):
    """A kernel without nft_queue takes no such rule."""
    assert (
        text(expression("queue", *((key, struct.pack(">H", n)) for key, n in ((1, number), (2, total), (3, flags)))))
        == said
    )


ETHER_TYPE_IP = [expression("payload", (1, 8), (2, 0), (3, 12), (4, 2)), cmp(b"\x08\0")]


@pytest.mark.parametrize(
    ("before", "kind", "code", "said"),
    [
        ([], 2, 1, "reject"),
        ([], 2, 3, "reject with icmpx admin-prohibited"),
        ([], 1, 0, "reject with tcp reset"),
        (ETHER_TYPE_IP, 0, 3, "reject with icmp port-unreachable"),
        (ETHER_TYPE_IP, 0, 1, "reject with icmp host-unreachable"),
        (ETHER_TYPE_IP, 2, 0, "ether type ip reject with icmpx no-route"),
    ],
)
def test_refusals_in_bridge_tables(before, kind, code, said):
    """A kernel without nft_reject_bridge takes no such rule."""
    assert text(*before, expression("reject", (1, kind), (2, bytes([code]))), context=Context(7)) == said


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (expression("flow_offload", (1, b"ft\0")), "flow add @ft"),
        (expression("last", (1, 0)), "last used never"),
        (expression("connlimit", (1, 10), (2, 1)), "ct count over 10"),
        (expression("objref", (1, 8), (2, b"mark\0")), 'meta secmark set "mark"'),
        (expression("objref", (1, 99), (2, b"mark\0")), "[expr objref]"),
        (expression("log", (1, b"\0\5"), (3, 7), (6, 0x2F)), "log group 5 snaplen 7 flags all"),
    ],
)
def test_statements_that_a_kernel_may_lack(made, said):
    assert text(made) == said


def test_an_unknown_expression_is_named_in_an_otherwise_right_rule():
    assert text(SADDR, cmp(b"\1\2\3\4"), expression("teleport", (1, 5)), ACCEPT) == (
        "ip saddr 1.2.3.4 [expr teleport] accept"
    )


def test_what_compares_a_value_that_is_not_known_is_named_too():
    inner = expression("inner", (1, 0), (2, 0))
    assert text(inner, cmp(b"\0\x35"), counter(5, 6), DROP) == "[expr inner] [expr cmp] counter packets 5 bytes 6 drop"
    assert text(expression("meta", (1, 8), (2, 99)), ACCEPT) == "[expr meta] accept"
    assert text(MARK, expression("cmp", (1, 8), (2, 17), (3, value(b"\0\0\0\1")))) == "[expr cmp]"


def test_what_a_register_held_before_an_unknown_expression_is_not_taken_for_what_it_holds_behind():
    newer = expression("bitwise", (1, 8), (2, 8), (3, 4), (6, 77))
    five = struct.pack("=I", 5)
    assert text(MARK, newer, cmp(five), DROP) == "[expr bitwise] [expr cmp] drop"
    assert text(MARK, expression("teleport", (1, 8)), MARK, cmp(five)) == "[expr teleport] meta mark 0x00000005"


def test_a_counter_with_a_name_and_one_of_an_element_count_what_the_rule_loses():
    blocked = NftSet(2, "t", "blocked", key_length=4)
    context = Context(2, sets={"blocked": blocked, "c": blocked}, counting=frozenset({"c"}))
    named, quota = (expression("objref", (1, kind), (2, b"n\0")) for kind in (1, 2))
    look, other = (expression("lookup", (1, name), (2, 8)) for name in (b"c\0", b"blocked\0"))
    add = expression("dynset", (1, b"blocked\0"), (3, 0), (4, 8), (7, counter(1, 2)[4:]))
    rules = [b"".join([SADDR, *parts, DROP]) for parts in ([named], [quota], [look], [other], [add], [])]
    found, _ = told_rules(rules, context)
    assert found.elsewhere.tolist() == [True, False, True, False, True, False]


def test_attributes_of_a_newer_kernel_are_ignored():
    newer = expression("counter", (1, struct.pack(">Q", 2)), (2, struct.pack(">Q", 1)), (77, b"new"))
    assert text(newer, attribute(9, b"news")) == "counter packets 1 bytes 2"


def test_bounds_of_one_field_are_a_range_and_of_different_fields_are_not():
    """nft 1.0.6 takes ``tcp sport >= 1 tcp dport <= 5`` for ``tcp dport 1-5``, which is another rule."""
    sport, dport = (expression("payload", (1, 8), (2, 2), (3, at), (4, 2)) for at in (0, 2))
    assert text(sport, cmp(b"\0\1", 5), cmp(b"\0\5", 3)) == "th sport 1-5"
    assert text(sport, cmp(b"\0\1", 5), dport, cmp(b"\0\5", 3)) == "th sport >= 1 th dport <= 5"


def test_names_of_sets_chains_and_prefixes_are_not_part_of_a_layout():
    log = [expression("log", (2, f"in {letter} ".encode() + b"\0")) for letter in "abc"]
    look = [expression("lookup", (1, f"s{letter}\0".encode()), (2, 8)) for letter in "abc"]
    jump = [verdict(-3, f"to_{letter}") for letter in "abc"]
    found, calls = told_rules([b"".join([SADDR, *parts]) for parts in zip(look, log, jump, strict=True)])
    assert calls == 1
    assert found.texts[2] == 'ip saddr @sc log prefix "in c " jump to_c'
    assert found.verdicts.cells() == ["jump to_a", "jump to_b", "jump to_c"]


@given(st.data())
@quick
def test_rules_that_differ_in_holes_only_are_told_alike(data):
    """What stands in a hole never decides how the rest of the rule is told."""
    context, octets, _ = data.draw(st.sampled_from(RECORDED))
    marks = Marks()
    template = rule.tell(View(octets, marks), context)
    holes = [piece for piece in template.text if isinstance(piece, Hole) and piece.length]
    changed = bytearray(octets)
    for hole in holes:
        changed[hole.start : hole.start + hole.length] = data.draw(
            st.binary(min_size=hole.length, max_size=hole.length)
        )
    layout = marks.layout(len(octets)) == 255
    raw = np.where(layout, np.frombuffer(octets, np.uint8), np.frombuffer(bytes(changed), np.uint8))
    if not all(kind.holds(padded(raw)).all() for kind in marks.classes):
        return  # a set of another type
    with suppress(DecodeError):
        own = rule.tell(View(raw.tobytes()), context)
        assert filled(template.text, padded(raw)) == filled(own.text, padded(raw))


def padded(octets: np.ndarray) -> np.ndarray:
    found = np.zeros((1, -(-len(octets) // 8) * 8), np.uint8)
    found[0, : len(octets)] = octets
    return found


@given(st.data())
@quick
def test_malformed_rules_raise_decode_errors_only(data):
    context, octets, _ = data.draw(st.sampled_from(RECORDED))
    raw = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from([0, 1, 2, 4, 8, 127, 255]))
    with suppress(DecodeError):
        told_rules([bytes(raw)], context)


def test_rules_cut_at_every_byte_raise_decode_errors_only():
    for context, octets, _ in RECORDED[::9]:
        for size in range(len(octets)):
            with suppress(DecodeError):
                rule.tell(View(octets[:size]), context)
