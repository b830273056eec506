"""Matches and targets of xtables by name and revision: which teller tells the struct of each."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Literal

import collectors.netfilter.xt as package
from collectors.netfilter.xt.setting import Setting, Teller
from collectors.wire.templates import Pieces, View

Kind = Literal["match", "target"]


def match(name: str, revision: int, data: View, setting: Setting) -> Pieces:
    """`` -m NAME …`` from the struct behind a struct xt_entry_match; `` [match NAME]`` for an unknown one."""
    return told("match", name, revision, data, setting)


def target(name: str, revision: int, data: View, setting: Setting) -> Pieces:
    """`` -j NAME …`` from the struct behind a struct xt_entry_target; `` [target NAME]`` for an unknown one."""
    return told("target", name, revision, data, setting)


def told(kind: Kind, name: str, revision: int, data: View, setting: Setting) -> Pieces:
    teller = tellers(kind).get((name, revision))
    if teller is not None:
        return teller(data, setting)
    data.ignore()
    return (f" [{kind} {name}]",)


@cache
def tellers(kind: Kind) -> dict[tuple[str, int], Teller]:
    """Those of every module of this package that is named after the kind, from its MATCHES or TARGETS."""
    found: dict[tuple[str, int], Teller] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith(f"{kind}_"):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            found.update(getattr(loaded, "MATCHES" if kind == "match" else "TARGETS"))
    return found
