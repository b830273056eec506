"""The filter language, over hand-made tables."""

from __future__ import annotations

import ipaddress
import socket
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.draft import Draft
from collectors.table import Column, Table
from collectors.values import IPV4, IPV6, LINK_LAYER, Addresses, Codes, Numbers, wide
from nettui.query import QueryError, UnknownColumn, compile
from nettui.report.schema import declared

COLUMNS = (
    Column("netid", "text", "key"),
    Column("state", "text"),
    Column("src", "address", "key"),
    Column("sport", "u2", "key"),
    Column("dst", "address"),
    Column("dport", "u2", "key"),
    Column("rtt", "f8", "gauge", "ms"),
    Column("drops", "u4", "counter", "packets"),
    Column("bytes", "u8", "counter", "B", path="stats64.rx.bytes"),
    Column("rate", "f8", "gauge", "B/s"),
    Column("packet_rate", "f8", "gauge", "packets/s"),
    Column("carrier", "bool"),
    Column("ifname", "text"),
    Column("flags", "json"),
    Column("metrics", "json"),
    Column("lladdr", "address"),
    Column("error", "i4"),
)


def octets(text: str) -> tuple[bytes, int, int]:
    if text.count(":") == 5 and all(len(part) == 2 for part in text.split(":")):
        return bytes.fromhex(text.replace(":", "")), LINK_LAYER + 6, 255
    network = ipaddress.ip_network(text)
    return network.network_address.packed, IPV4 if network.version == 4 else IPV6, network.prefixlen


def addresses(*cells: str | None) -> Addresses:
    found = [(b"", 0, 255) if cell is None else octets(cell) for cell in cells]
    table = np.zeros((len(cells), 16), np.uint8)
    for row, (packed, _, _) in enumerate(found):
        table[row, : len(packed)] = list(packed)
    form, prefix = (np.array([entry[place] for entry in found], np.uint8) for place in (1, 2))
    return Addresses(table, form, prefix)


def numbers(dtype: str, *cells: float | None) -> Numbers:
    return Numbers(np.array([cell or 0 for cell in cells], dtype), np.array([cell is not None for cell in cells]))


TABLE = Table(
    COLUMNS,
    {
        "netid": Codes.of(["tcp", "tcp", "udp", "u_str"]),
        "state": Codes.of(["ESTAB", "LISTEN", "UNCONN", None]),
        "src": addresses("10.1.2.3", "0.0.0.0", "::ffff:10.9.9.9", None),
        "sport": numbers("u2", 443, 22, 53, None),
        "dst": addresses("192.168.0.1", "10.0.0.0/8", "2001:db8::1", "0.0.0.0/0"),
        "dport": numbers("u2", 50000, 0, 0, None),
        "rtt": numbers("f8", 75.5, 0.3, None, None),
        "drops": numbers("u4", 0, 7, 4294967295, None),
        "bytes": numbers("u8", 2**64 - 1, 2**63, 1500, 0),
        "rate": numbers("f8", 125e6, 1.0, None, 0.0),
        "packet_rate": numbers("f8", 20000.0, 1.0, None, 0.0),
        "carrier": numbers("?", True, False, None, True),
        "ifname": Codes.of(["veth10", "veth2", "eth0", None]),
        "flags": Codes.of([["UP", "LOWER_UP"], ["UP"], [], None]),
        "metrics": Codes.of([{"mtu": 1400}, {"advmss": 1360, "features": ["ecn"]}, None, None]),
        "lladdr": addresses("52:54:00:12:34:56", "52:54:00:aa:bb:cc", "0a:00:00:00:00:01", None),
        "error": numbers("i4", -101, 0, None, 5),
    },
)


def rows(text: str, table: Table = TABLE) -> list[int]:
    return np.flatnonzero(compile(text, table.columns).mask(table)).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("proto tcp and state established and rtt > 50ms", [0]),
        ("src in 10.0.0.0/8 or dport 50000", [0, 2]),
        ('ifname ~ "^veth"', [0, 1]),
        ("drops > 0", [1, 2]),
        ("not (drops > 0)", [0, 3]),
        ("netid tcp", [0, 1]),
        ("NETID = TCP && ! sport 22", [0]),
        ("netid=udp||sport=443", [0, 2]),
        ("proto unix", [3]),
        ("state connected", [0]),
        ("state listening or state closed", [1, 2]),
        ("sport in (22, 53)", [1, 2]),
        ("sport in 22,443", [0, 1]),
        ("sport not in (22, 53)", [0]),
        ("sport https", [0]),
        ("sport :ssh", [1]),
        ("port 50000", [0]),
        ("port != 22", [0, 2]),
        ("host 10.9.9.9", [2]),
        ("carrier", [0, 3]),
        ("not carrier", [1, 2]),
        ("carrier no", [1]),
        ("carrier in (yes, no)", [0, 1, 3]),
        ("has rtt", [0, 1]),
        ("not has rtt", [2, 3]),
        ("rtt is absent", [2, 3]),
        ("rtt is not absent", [0, 1]),
        ("rtt is present", [0, 1]),
        ("flags up", [0, 1]),
        ("flags != lower_up", [1, 2]),
        ("flags in (lower_up, dormant)", [0]),
        ("flags ~ ^lower", [0]),
        ("metrics mtu", [0]),
        ("metrics 1360 or metrics ecn", [1]),
        ("stats64.rx.bytes 1500", [2]),
        ("dst default", [3]),
        ("dst 10.0.0.0/8", [1]),
        ("dst 10.0.0.0", []),
        ("dst in 10.0.0.0/8", [1]),
        ("dst in 10/8", [1]),
        ("dst in 10.0.0.0/9", []),
        ("dst covers 10.1.2.3", [1, 3]),
        ("dst covers 10.0.0.0/7", [3]),
        ("dst != 192.168.0.1", [1, 2, 3]),
        ("dst in (192.168.0.0/16, 2001:db8::/32)", [0, 2]),
        ("dst ~ ^2001:", [2]),
        ("src in ::ffff:10.0.0.0/104", [0, 2]),
        ("src !~ ^10", [1, 2]),
        ("lladdr 52:54:00:12:34:56", [0]),
        ("mac in 52:54:00", [0, 1]),
        ("mac 52-54-00-AA-BB-CC", [1]),
        ("error -101", [0]),
        ("error < 0", [0]),
        ("error >= -0.5", [1, 3]),
        ("rtt >= 300us and rtt < 1 s", [0, 1]),
        ("rtt < 0.001 m", [1]),
        ("rate >= 1Gbps", [0]),
        ("rate > 124.9 MB/s and packet_rate = 20kpps", [0]),
        ("bytes > 1 KiB and bytes < 2kB", [2]),
        ("bytes = 12 kbit", [2]),
        ("bytes = 18446744073709551615", [0]),
        ("bytes > 18446744073709551614.5", [0]),
        ("bytes >= 18446744073709551616", []),
        ("bytes <= 99999999999999999999999999", [0, 1, 2, 3]),
        ("bytes > -1", [0, 1, 2, 3]),
        ("bytes = 0x5dc", [2]),
        ("bytes = 1.5k", [2]),
        ("drops = 0.5", []),
        ("drops != 0.5", [0, 1, 2]),
    ],
)
def test_a_filter_finds_its_rows(text: str, expected: list[int]) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_an_absent_cell_satisfies_no_comparison_and_not_turns_the_whole_round(column: str) -> None:
    value = {"address": "10.0.0.1", "text": "x", "json": "x", "bool": "yes"}.get(TABLE.column(column).dtype, "1")
    missing = set(rows(f"{column} is absent"))
    for operator in ("=", "!=", "~", "!~", "in", "not in"):
        found = set(rows(f"{column} {operator} {value}"))
        assert not found & missing
        assert set(rows(f"not {column} {operator} {value}")) == {0, 1, 2, 3} - found


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("stat established", 0, "did you mean state?"),
        ("proto tcp and nosuch 5", 14, "there are netid, state, src"),
        ("proto tcp state established", 10, "expected `and`, `or`"),
        ("rtt > fast", 6, "expected a number"),
        ("rtt > 5 and rtt > 5kB", 18, "'kB' does not fit here; the column is in ms, understood are ns, us"),
        ("drops > 5ms", 8, "does not fit"),
        ("rtt > 5 parsecs", 8, "expected `and`"),
        ("rtt > 5parsecs", 6, "'parsecs' is no unit"),
        ("(proto tcp", 10, "expected `)`"),
        ("proto tcp)", 9, "expected `and`"),
        ('ifname ~ "^veth', 9, "a quote that is never closed"),
        ('ifname ~ "("', 9, "not a regular expression"),
        ("drops", 0, "`has drops` asks whether it is there"),
        ("drops >", 7, "expected a value"),
        ("and", 0, "expected a column's name"),
        ("src in 10.0.0.0/33", 7, "prefix length from 0 to 32"),
        ("src 10.0.0.256", 4, "no address"),
        ("src in (10.0.0.0/8, nowhere)", 20, "no address"),
        ("src > 10.0.0.1", 6, "have no order"),
        ("ifname < veth9", 9, "have no order"),
        ("carrier maybe", 8, "true or false"),
        ("rtt is maybe", 7, "`absent` or `present`"),
        ("sport & 5", 6, "not understood"),
        ("proto tcp or", 12, "expected a column's name"),
    ],
)
def test_a_wrong_filter_says_where_and_what_is_right(text: str, position: int, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        compile(text, COLUMNS)
    assert words in caught.value.message
    assert caught.value.position == position
    assert caught.value.pointed().splitlines()[1].index("^") == 2 + position


def test_an_unknown_column_is_told_apart() -> None:
    with pytest.raises(UnknownColumn):
        compile("nosuch 1", COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000 + "proto tcp" + ")" * 2000,
        "not " * 1000 + "carrier",
        "drops > " + "9" * 4000,
        "drops > 0x" + "f" * 100,
        "drops " * 2000,
        "ifname ~ " + "a" * 1000,
        'ifname ~ "((a*)*)*b"',
        'ifname ~ "' + "a?" * 90 + '"',
        'ifname ~ "(.*)\\1"',
        'ifname ~ "' + "x*" * 60 + 'y"',
        'ifname ~ "(((a{1,50}){1,50}){1,50}){1,50}"',
    ],
)
def test_an_absurd_filter_is_refused_at_once(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError):
        compile(text, COLUMNS)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("pattern", ["a*a*a*b", "(a+)+$", "(a|aa)+$"])
def test_a_pattern_too_costly_for_a_strangers_text_is_an_error_not_a_hang(pattern: str) -> None:
    table = Table((Column("ifalias", "text"),), {"ifalias": Codes.of(["a" * 3000 + "!"])})
    started = time.monotonic()
    with pytest.raises(QueryError, match="too costly"):
        rows(f'ifalias ~ "{pattern}"', table)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("pattern", ["^veth.*[0-9]+$", "(veth|eth)[0-9]+", r"^v(et)*h\d{1,3}$", "(?:10|2)", "^(?!lo)"])
def test_usual_patterns_are_taken(pattern: str) -> None:
    assert 0 in rows(f'ifname ~ "{pattern}"')


def mask_or_error(text: str) -> None:
    try:
        found = compile(text, COLUMNS).mask(TABLE)
    except QueryError as error:
        place = error.position
    else:
        place = 0
        assert found.shape == (4,)
    assert 0 <= place <= len(text)


@given(st.text(max_size=60))
def test_any_text_gives_a_mask_or_a_query_error(text: str) -> None:
    mask_or_error(text)


WORDS = [
    *(
        "proto",
        "rtt",
        "src",
        "flags",
        "carrier",
        "port",
        "tcp",
        "5",
        "50ms",
        "10.0.0.0/8",
        "(",
        ")",
        "and",
        "or",
        "not",
    ),
    *("in", ",", "=", "!=", ">", "~", "is", "absent", "has", "covers", '"x"', "-1", "::1"),
]


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_words_give_a_mask_or_a_query_error(text: str) -> None:
    mask_or_error(text)


@given(st.sampled_from(["<", "<=", "=", ">=", ">", "!="]), st.decimals(-300, 300, places=2), st.sampled_from("iu"))
def test_integers_compare_as_in_arithmetic(operator: str, wanted: object, kind: str) -> None:
    values = np.arange(-128, 128).astype("i1") if kind == "i" else np.arange(256).astype("u1")
    table = Table((Column("x", f"{kind}1"),), {"x": Numbers(values)})
    compare = {"<": "__lt__", "<=": "__le__", "=": "__eq__", ">=": "__ge__", ">": "__gt__", "!=": "__ne__"}[operator]
    expected = [row for row, value in enumerate(values.tolist()) if getattr(type(wanted)(value), compare)(wanted)]
    assert rows(f"x {operator} {wanted}", table) == expected


@given(st.ip_addresses(v=4).map(str), st.integers(0, 32), st.lists(st.ip_addresses(v=4).map(str), max_size=8))
def test_in_agrees_with_ipaddress(base: str, length: int, others: list[str]) -> None:
    network = ipaddress.ip_network(f"{base}/{length}", strict=False)
    cells = [base, *others]
    table = Table((Column("a", "address"),), {"a": addresses(*cells)})
    inside = [row for row, cell in enumerate(cells) if ipaddress.ip_address(cell) in network]
    assert rows(f"a in {base}/{length}", table) == inside


def test_a_column_that_the_table_lacks_is_absent_in_every_row() -> None:
    query = compile("rtt > 1", COLUMNS)
    assert not query.mask(TABLE.select(["netid"])).any()
    assert compile("not has rtt", COLUMNS).mask(TABLE.select(["netid"])).all()
    assert query.names == {"rtt"}


def test_the_words_of_the_manual_are_understood_by_the_sections_they_are_about() -> None:
    for section, text in (
        ("sockets", "proto tcp and state established and rtt > 50ms"),
        ("sockets", "dst in 10.0.0.0/8 or dport 443"),
        ("sockets", "port 22 and host 10.0.0.1"),
        ("links", 'ifname ~ "^veth" and state up'),
        ("links", "drops > 0 or errors > 1k or bytes > 1GB"),
        ("links", "speed < 10 Gbit/s"),
        ("softnet", "drops > 0"),
        ("routes", "proto static and dev eth0 and dst covers 10.1.2.3"),
        ("neighbours", "mac in 52:54:00 and state stale"),
        ("qdiscs", "dev eth0 and drops > 0 and backlog > 10kB"),
        ("addresses", "local in fd00::/8 and dev lo"),
        ("rules", "table main"),
    ):
        assert compile(text, declared(section)).names


def test_an_empty_table_of_any_column_can_be_filtered() -> None:
    table = Draft(COLUMNS, 0).table()
    for text in ("rtt > 1", "src in 10.0.0.0/8", "dst default", "mac in 52:54", "flags up", "not carrier", "src ~ x"):
        assert rows(text, table) == []


def test_a_million_rows_are_filtered_quickly() -> None:
    count = 1_000_000
    octets = wide(np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 4), 16)
    table = Table(
        COLUMNS[:6],
        {
            "netid": Codes(np.zeros(count, np.int8), ("tcp",)),
            "state": Codes(np.arange(count, dtype=np.int32) % 11, tuple(f"S{n}" for n in range(11))),
            "src": Addresses(octets, np.full(count, IPV4, np.uint8)),
            "dst": Addresses(octets, np.full(count, IPV4, np.uint8), np.full(count, 24, np.uint8)),
            "sport": Numbers(np.arange(count).astype(np.uint16)),
            "dport": Numbers(np.arange(count).astype(np.uint16)),
        },
    )
    for text in ("sport > 1000 and dport != 22", "src in 0.1.0.0/16", "dst in 0.1.0.0/16", "state in (s1, s2)"):
        query = compile(text, table.columns)
        assert min(timed(lambda query=query: query.mask(table)) for _ in range(3)) < 0.2


def timed(call: object) -> float:
    started = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - started


@pytest.mark.parametrize("pattern", ["a*a*b", "(a+)+$", "(a|aa)+$", ".*.*a!"])
def test_a_pattern_that_is_taken_ends_soon(pattern: str) -> None:
    table = Table((Column("ifname", "text"),), {"ifname": Codes.of(["a" * 14 + "!", "a" * 15])})
    started = time.monotonic()
    rows(f'ifname ~ "{pattern}"', table)
    assert time.monotonic() - started < 1


def test_the_test_addresses_are_what_they_say() -> None:
    assert TABLE["src"].cells() == ["10.1.2.3", "0.0.0.0", "::ffff:10.9.9.9", None]
    assert socket.inet_aton("10.1.2.3") == bytes([10, 1, 2, 3])


# what a source may be told


@pytest.mark.parametrize(
    ("text", "equal"),
    [
        ("bytes 7", [("bytes", 7)]),
        ("sport https", [("sport", 443)]),
        ("(bytes 0x10 and (state close)) and flags Up",
         [("bytes", 16), ("state", {"close", "unconn"}), ("flags", {"up"})]),
        ("bytes 2k and drops > 3", [("bytes", 2000)]),
        ("rtt 1.5", []),
        ("bytes 7 or drops 3", []),
        ("not bytes 7", []),
        ("bytes != 7", []),
        ("bytes in (7, 8)", []),
        ("port 7", []),
        ("src 10.0.0.1 and carrier yes", []),
        ("", []),
    ],
)  # fmt: skip
def test_only_what_every_row_must_be_equal_in_is_told_to_a_source(text, equal):
    found = compile(text, COLUMNS).equalities()
    assert [(column, set(value) if isinstance(value, frozenset) else value) for column, value in found] == equal
