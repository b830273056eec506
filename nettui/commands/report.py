"""`nettui report`: sections once, for tickets and scripts; with --follow conntrack's events as they happen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from nettui.commands.common import NETNS, SETTINGS, complain, emit, entered, named, told, words

if TYPE_CHECKING:
    from collectors import Host
    from collectors.collector import Equalities
    from collectors.table import Table
    from nettui.panels.panel import Panel
    from nettui.report.select import Selection
    from nettui.snapshot import Snapshot

FORMATS = ("text", "json", "ndjson", "csv", "markdown")

WHERE_HELP = """\b
The filter language of --where:
  proto tcp and state established and rtt > 50ms
  src in 10.0.0.0/8 or port https        dst covers 10.1.2.3
  ifname ~ "^veth" and not master br0    rx_dropped > 0
  sport in (80, 443)     has master      speed is absent     flags up
What is absent satisfies no comparison. Units: us ms s m h, kB MB GB KiB, pps, bps B/s, k M G.

\b
Examples:
  nettui report links addresses
  nettui report sockets --where 'state listen' --columns netid,src,sport,process
  nettui report routes --to 192.0.2.1
  nettui report --json | jq '.sections.links.rows[].ifname'

\b
Exit status: 0 every section asked for was read, 1 one could not be (the others are printed),
2 wrong usage, 130 interrupted. NETTUI_DEBUG=1 shows the traceback of a fault, NO_COLOR=1 no colours.
"""


@click.command(context_settings=SETTINGS, epilog=WHERE_HELP)
@click.argument("sections", nargs=-1, metavar="[SECTION]...")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of output.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@NETNS
@click.option("--where", metavar="EXPR", default="", help="Only the rows that satisfy the filter.")
@click.option("--sort", metavar="COLUMN", default="", help="Order by it, -COLUMN: descending; several with commas.")
@click.option("--columns", metavar="A,B,C", default="", help="Only these columns, in this order.")
@click.option("--limit", metavar="N", type=click.IntRange(0), help="At most N rows of each section.")
@click.option("--to", "destination", metavar="ADDRESS", help="Only the route that a packet to it takes now.")
@click.option("--from", "source", metavar="ADDRESS", default="", help="With --to: the packet's source address.")
@click.option("-o", "--output", metavar="FILE", default="", help="Write FILE, whole or not at all.")
@click.option("--follow", is_flag=True, help="Print conntrack events, a line each, as they happen.")
@click.option("--schema", "describe", is_flag=True, help="Describe the columns, as JSON, and read nothing.")
@click.pass_context
def report(
    context: click.Context,
    sections: tuple[str, ...] = (),
    form: str = "text",
    as_json: bool = False,
    netns: str | None = None,
    where: str = "",
    sort: str = "",
    columns: str = "",
    limit: int | None = None,
    destination: str | None = None,
    source: str = "",
    output: str = "",
    follow: bool = False,
    describe: bool = False,
) -> None:
    """Print sections once: links, addresses, rules, routes, neighbours, … No section: all that are cheap to read."""
    from nettui.report.make import make, pieces, style_of
    from nettui.report.select import Selection

    if destination is not None and not sections:
        sections = ("routes",)
    panels = named(sections) if sections else unnamed(everything=describe)
    if describe:
        from nettui.report.schema import schema

        emit(output, lambda out: [schema(panels)])
        return
    selection = Selection(where, words(sort), words(columns), limit)
    if follow:
        if sections != ("conntrack",) or sort or output or form not in ("text", "ndjson") or as_json:
            raise click.UsageError("--follow goes with the section conntrack, as text or ndjson, without --sort and -o")
        tell_events(selection, form, entered(netns or context.obj))
        return
    panels = checked(panels, selection, by_name=bool(sections))
    host = entered(netns or context.obj)
    snapshot = read(panels, host, destination, source, selection)
    made = make(panels, snapshot, host, selection)
    emit(output, lambda out: pieces(made, "json" if as_json else form, style_of(out, dict(os.environ))))
    context.exit(unread(panels, snapshot, by_name=bool(sections)))


def tell_events(selection: Selection, form: str, host: Host) -> None:
    """Print conntrack's events until it is interrupted, or as many as the limit says."""
    from collectors.netfilter.conntrack.events import COLUMNS, Events
    from nettui.query import QueryError
    from nettui.report.follow import lines
    from nettui.report.output import destination
    from nettui.report.select import NoSuchColumn
    from nettui.snapshot import gap

    def heard(events: Events) -> Iterator[Table]:
        while True:
            table = events.heard(60.0)
            for lost in table.gaps:
                complain(lost.reason)
            yield table

    try:
        selection.checked(COLUMNS)
        events = Events(host)
    except (QueryError, NoSuchColumn) as error:
        raise click.UsageError(told(error, "conntrack: ")) from error
    except OSError as error:
        why = gap(error)
        raise click.ClickException(f"conntrack: {why.reason}; {why.remedy}".removesuffix("; ")) from error
    with events, destination("") as out:
        for piece in lines(heard(events), selection, form):
            out.write(piece)
            out.flush()


def unnamed(everything: bool) -> list[Panel]:
    """The sections of a report that names none: those that are cheap to read."""
    from nettui.panels.registry import PANELS
    from nettui.report.make import cheap

    return [panel for panel in PANELS if everything or cheap(panel)]


def checked(panels: list[Panel], selection: Selection, by_name: bool) -> list[Panel]:
    """The sections that can answer the selection: each that was named must; of the others, one at least."""
    if not (selection.where or selection.sort or selection.columns):
        return panels
    from nettui.query import QueryError, UnknownColumn
    from nettui.report.schema import declared
    from nettui.report.select import NoSuchColumn

    able: list[Panel] = []
    refusals: list[QueryError | NoSuchColumn] = []
    for panel in panels:
        try:
            selection.checked(declared(panel.name))
            able.append(panel)
        except (QueryError, NoSuchColumn) as error:
            if by_name:
                raise click.UsageError(told(error, f"{panel.name}: ")) from error
            refusals.append(error)
    if not able:
        first = min(refusals, key=lambda refusal: isinstance(refusal, (UnknownColumn, NoSuchColumn)))
        if isinstance(first, (UnknownColumn, NoSuchColumn)):
            what = str(first).split(";")[0].split(",")[0]
            raise click.UsageError(f"{what} in any section; `nettui report --schema` lists them")
        raise click.UsageError(told(first, ""))
    return able


def read(panels: Sequence[Panel], host: Host, destination: str | None, source: str, selection: Selection) -> Snapshot:
    if destination is None:
        if source:
            raise click.UsageError("--from needs --to")
        from nettui.sources import read as read_sections

        return read_sections([panel.name for panel in panels], host, equalities(panels, selection))
    if [panel.name for panel in panels] != ["routes"]:
        raise click.UsageError("--to looks up a route: it goes with the section routes alone")
    from nettui.lookup import look_up

    try:
        return look_up(host, destination, source)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def equalities(panels: Sequence[Panel], selection: Selection) -> dict[str, Equalities]:
    """What the filter asks of every row, by section."""
    if not selection.where:
        return {}
    from nettui.report.schema import declared

    queries = {panel.name: selection.checked(declared(panel.name)) for panel in panels}
    return {name: query.equalities() for name, query in queries.items() if query}


def unread(panels: Sequence[Panel], snapshot: Snapshot, by_name: bool) -> int:
    """The exit status, with a sentence for each section that was asked for by name and could not be read."""
    missing = [panel.name for panel in panels if panel.name in snapshot.gaps]
    if by_name:
        for name in missing:
            gap = snapshot.gaps[name]
            complain(f"{name}: {gap.reason}{f'; {gap.remedy}' if gap.remedy else ''}")
    return int(bool(missing) and (by_name or len(missing) == len(panels)))
