"""Comments that nft keeps in a rule's user data, told as iptables tells them: as the rule's last match."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from collectors.netfilter.nft.payloads import comment
from collectors.netfilter.nft.uapi import NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_LIST_ELEM
from collectors.netfilter.told import Records
from collectors.wire.netlink import attribute

NFTA_MATCH_NAME, NFTA_MATCH_REV, NFTA_MATCH_INFO = 1, 2, 3
XT_MAX_COMMENT_LEN = 256


def commented(records: Records, userdata: Sequence[bytes | None]) -> Records:
    """The rules, those with a comment in their user data with a match behind their expressions that says it."""
    said = {data: remark for data in dict.fromkeys(userdata) if data and (remark := comment(data)) is not None}
    if not said:
        return records
    offsets, lengths = records.offsets.copy(), records.lengths.copy()
    kept, end = [records.data], len(records.data)
    for row, data in enumerate(userdata):
        if data not in said:
            continue
        match = np.frombuffer(expression(said[data]), np.uint8)
        start, size = int(offsets[row]), -(-int(lengths[row]) // 4) * 4
        kept += [records.data[start : start + size], match]
        offsets[row], lengths[row] = end, size + len(match)
        end += size + len(match)
    return replace(records, data=np.concatenate(kept), offsets=offsets, lengths=lengths)


def expression(remark: str) -> bytes:
    """struct xt_comment_info in a match expression (uapi linux/netfilter/nf_tables_compat.h, nft_match_attributes)."""
    info = os.fsencode(remark)[: XT_MAX_COMMENT_LEN - 1].ljust(XT_MAX_COMMENT_LEN, b"\0")
    data = (
        attribute(NFTA_MATCH_NAME, b"comment\0")
        + attribute(NFTA_MATCH_REV, struct.pack(">I", 0))
        + attribute(NFTA_MATCH_INFO, info)
    )
    return attribute(NFTA_LIST_ELEM, attribute(NFTA_EXPR_NAME, b"match\0") + attribute(NFTA_EXPR_DATA, data))
