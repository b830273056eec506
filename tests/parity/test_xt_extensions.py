"""What the tellers of matches and targets say beside iptables-save, on the same rules and on the same structs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from collectors.netfilter import ipset
from collectors.netfilter.xt import extensions
from collectors.netfilter.xt.setting import Setting
from collectors.wire.templates import Hole, View
from tests.lab import needs_root
from tests.parity.libxtables import Struct, saved
from tests.parity.xt_structs import Scene, every_rule_added
from tests.xt_rules import every_rule
from tests.xt_vectors import STRUCTS

pytestmark = [pytest.mark.root, needs_root]


def told(struct: Struct, setting: Setting) -> str:
    teller = extensions.match if struct.kind == "match" else extensions.target
    pieces = teller(struct.name, struct.revision, View(struct.octets), setting)
    return "".join(piece.tell(struct.octets[piece.start :][: piece.length]) if isinstance(piece, Hole) else piece
                   for piece in pieces)  # fmt: skip


def setting_of(scene: Scene) -> Setting:
    return Setting(scene.family, ipset.set_names(scene.inside.host))


def differing(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for line, ours in pairs:
        head = line.removesuffix(ours)
        if not line.endswith(ours) or " -m " in head or " -j " in head:
            yield f"{line}\n{ours}"


@pytest.mark.parametrize("family", [2, 10])
def test_every_match_and_target_of_iptables_legacy_is_told_as_it_is_saved(family):
    with every_rule_added(family, legacy=True) as scene:
        setting = setting_of(scene)
        pairs = [(rule.line, "".join(told(struct, setting) for struct in rule.structs)) for rule in scene.rules()]
    assert not list(differing(pairs)), f"{len(scene.refused)} rules refused: {scene.refused}"
    assert len(pairs) >= 0.9 * len(every_rule(family)), scene.refused


@pytest.mark.parametrize("family", [2, 10])
def test_every_match_and_target_in_rules_of_iptables_nft_is_told_as_it_is_saved(family):
    with every_rule_added(family, legacy=False) as scene:
        setting = setting_of(scene)
        rules = list(scene.rules())
    structs = [(struct, rule.line) for rule in rules for struct in rule.structs]
    assert not [f"{line}\n{told(struct, setting)}" for struct, line in structs if told(struct, setting) not in line]
    assert len(structs) >= 0.75 * len(every_rule(family)), scene.refused


@pytest.mark.parametrize("family", [2, 10])
def test_structs_that_no_rule_here_has_are_told_as_iptables_own_extensions_tell_them(family):
    """Earlier revisions, which older iptables make, and extensions that this kernel may lack."""
    structs = [struct for struct in STRUCTS if struct.family in (0, family)]
    asked = [Struct(*struct[1:5]) for struct in structs]
    theirs = saved(family, asked)
    assert all(theirs), [struct for struct, text in zip(asked, theirs, strict=True) if not text]
    assert [told(struct, Setting(family)) for struct in asked] == theirs
