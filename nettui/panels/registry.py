"""The only list of panels, in the order of a report, and of the full screen, which has one more."""

from __future__ import annotations

from nettui.panels.addresses import ADDRESSES
from nettui.panels.capture import CAPTURE
from nettui.panels.classes import CLASSES
from nettui.panels.conntrack import CONNTRACK, CONNTRACK_STATISTICS, EXPECTATIONS
from nettui.panels.drops import DROPS
from nettui.panels.hooks import HOOKS
from nettui.panels.links import LINKS
from nettui.panels.neighbours import NEIGHBOURS
from nettui.panels.netfilter import NETFILTER
from nettui.panels.nexthops import NEXTHOPS
from nettui.panels.nft_objects import NFT_OBJECTS
from nettui.panels.overview import OVERVIEW
from nettui.panels.panel import Panel
from nettui.panels.protocols import PROTOCOLS
from nettui.panels.qdiscs import QDISCS
from nettui.panels.routes import ROUTES
from nettui.panels.rules import RULES
from nettui.panels.services import SERVICES
from nettui.panels.set_elements import SET_ELEMENTS
from nettui.panels.sets import SETS
from nettui.panels.sockets import SOCKETS
from nettui.panels.softnet import SOFTNET

PANELS: tuple[Panel, ...] = (
    OVERVIEW,
    DROPS,
    LINKS,
    ADDRESSES,
    RULES,
    ROUTES,
    NEXTHOPS,
    NEIGHBOURS,
    QDISCS,
    CLASSES,
    SOFTNET,
    PROTOCOLS,
    SOCKETS,
    NETFILTER,
    HOOKS,
    SERVICES,
    SETS,
    SET_ELEMENTS,
    NFT_OBJECTS,
    CONNTRACK,
    CONNTRACK_STATISTICS,
    EXPECTATIONS,
)
SCREEN = (*PANELS, CAPTURE)


def panel(name: str) -> Panel:
    """The panel of that name; KeyError names the ones there are."""
    for entry in PANELS:
        if entry.name == name:
            return entry
    raise KeyError(f"no section {name!r}; there are {', '.join(entry.name for entry in PANELS)}")
