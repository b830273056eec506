"""Rules of every family beside ``nft list ruleset``, one by one."""

from __future__ import annotations

from functools import partial

import pytest

from collectors.netfilter.nft import rule
from collectors.netfilter.told import told
from collectors.wire.templates import Templates
from tests import nft_rules
from tests.lab import needs_root
from tests.parity.netfilter import normalised

pytestmark = [pytest.mark.root, needs_root]
FEWEST = 1000  # of the 1,200 and more of families.rules that the kernels of today take


def test_the_rules_of_every_family_are_told_as_nft_lists_them():
    with nft_rules.families() as inside:
        blocks = list(nft_rules.blocks(inside))
        listed = nft_rules.listed(inside.run("nft -a list ruleset"))
    ours = {
        (context.family, context.table, handle): normalised(text)
        for context, records in nft_rules.told_by(blocks, {1: "lo"})
        for rules in (told(records, Templates(partial(rule.tell, context=context)), lambda chain: ""),)
        for handle, text in zip(rules.handles.tolist(), rules.texts, strict=True)
    }
    assert len(listed) > FEWEST
    wrong = [f"{ours.get(key)!r}\n     nft: {text!r}" for key, text in listed.items() if ours.get(key) != text]
    assert not wrong, f"{len(wrong)} of {len(listed)} differ:\n" + "\n".join(wrong[:20])
