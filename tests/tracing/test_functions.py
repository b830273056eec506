"""Functions by address, from a /proc that the test wrote."""

import pytest

from collectors.host import Host
from collectors.tracing.functions import Function, Functions

SYMBOLS = """\
ffffffff81000000 T _stext
ffffffff81001000 T ip_rcv
ffffffff81001000 t ip_rcv_alias
ffffffff81001200 d some_data
ffffffff81001400 t ip_rcv_core.isra.0
ffffffff81001500 t ip_rcv_finish.cold
ffffffffc0001000 t nft_do_chain\t[nf_tables]
ffffffffc0000000 t ip_vs_in\t[ip_vs]
"""


@pytest.fixture
def proc(tmp_path):
    (tmp_path / "kallsyms").write_text(SYMBOLS)
    (tmp_path / "modules").write_text("nf_tables 1 0 - Live 0x0\n")
    return tmp_path


def test_an_address_belongs_to_the_function_that_begins_before_it(proc):
    functions = Functions(Host(proc=proc))
    assert functions.at(0xFFFFFFFF81001010) == Function("ip_rcv")
    assert functions.at(0xFFFFFFFF81001300) == Function("ip_rcv")
    assert functions.at(0xFFFFFFFF81001400) == Function("ip_rcv_core")
    assert functions.at(0xFFFFFFFF81001500) == Function("ip_rcv_finish")
    assert functions.at(0xFFFFFFFFC0001001) == Function("nft_do_chain", "nf_tables")
    assert functions.at(0xFFFFFFFFC0000FFF) == Function("ip_vs_in", "ip_vs")
    assert not functions.hidden


def test_an_address_far_from_every_function_has_none(proc):
    functions = Functions(Host(proc=proc))
    assert functions.at(0x1000) is None
    assert functions.at(0xFFFFFFFFA0000000) is None


def test_a_module_that_came_later_is_known(proc):
    functions = Functions(Host(proc=proc))
    assert functions.at(0xFFFFFFFFC0900010) is None
    with (proc / "kallsyms").open("a") as file:
        file.write("ffffffffc0900000 t ovs_dp\t[openvswitch]\n")
    assert functions.at(0xFFFFFFFFC0900010) is None, "it is not read again for nothing"
    (proc / "modules").write_text("openvswitch 1 0 - Live 0x0\n")
    assert functions.at(0xFFFFFFFFC0900010) == Function("ovs_dp", "openvswitch")


def test_addresses_that_the_kernel_hides_give_no_wrong_names(proc):
    lines = [f"{0:016x}{line[16:]}" for line in SYMBOLS.splitlines()]
    (proc / "kallsyms").write_text("\n".join(lines) + "\n")
    functions = Functions(Host(proc=proc))
    assert functions.at(0xFFFFFFFF81001010) is None
    assert functions.hidden


@pytest.mark.parametrize("text", ["", "\n\n", "x\n", "ffffffff81000000 T", "garbage " * 50 + "\n", "\0" * 40 + "\n"])
def test_a_broken_list_gives_no_function(proc, text):
    (proc / "kallsyms").write_text(text)
    assert Functions(Host(proc=proc)).at(0xFFFFFFFF81001010) is None


def test_without_a_list_there_are_no_names(tmp_path):
    assert Functions(Host(proc=tmp_path)).at(0xFFFFFFFF81001010) is None
