"""`nettui capture`: packets as lines, from a device or from a file, and a summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nettui.commands.common import NETNS, SETTINGS, complain, told

if TYPE_CHECKING:
    from nettui.query import Query

HELP = """\b
Examples:
  nettui capture -r trace.pcapng
  nettui capture -r trace.pcap --where 'dport 53 and dns_rcode has'
  tcpdump -w - | nettui capture -r -

\b
Exit status: 0 all was read, 1 something could not be, 2 wrong usage, 130 interrupted.
"""


@click.command(context_settings=SETTINGS, epilog=HELP)
@click.option("-r", "--read", "file", metavar="FILE", help="Read packets from FILE (pcap, pcapng, gzip), - for stdin.")
@click.option("-c", "--count", metavar="N", type=click.IntRange(1), help="End after N packets that were printed.")
@click.option("--where", metavar="EXPR", default="", help="Print only the packets that satisfy the filter.")
@click.option("--format", "form", type=click.Choice(["text", "ndjson", "csv"]), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Print no packets: the summary alone.")
@NETNS
@click.pass_context
def capture(
    context: click.Context,
    file: str | None,
    count: int | None,
    where: str,
    form: str,
    quiet: bool,
    netns: str | None,
) -> None:
    """Print packets, a line each, and at the end what was lost and the largest flows."""
    import numpy as np

    from collectors.table import Gap
    from collectors.wire.netlink import DecodeError
    from nettui.packets.reading import batches
    from nettui.report.capture import FORMS, Seen, heading, limited, summary
    from nettui.report.output import destination

    if file is None:
        raise click.UsageError("which packets? -r FILE")
    query, seen, gaps = compiled(where), Seen(), list[Gap]()
    try:
        with destination("") as out:
            for batch in batches(file):
                if isinstance(batch, Gap):
                    gaps.append(batch)
                    continue
                first = not seen.packets
                seen.add(batch.table)
                wanted = batch.table if query is None else batch.table.take(np.flatnonzero(query.mask(batch.table)))
                wanted = limited(wanted, None if count is None else count - seen.told)
                seen.told += len(wanted)
                if not quiet:
                    out.write(heading(form, batch.table) * first + "".join(FORMS[form](wanted)))
                    out.flush()
                if count is not None and seen.told >= count:
                    break
    except DecodeError as error:
        raise click.ClickException(f"{file}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
    for sentence in summary(seen, gaps):
        complain(sentence)
    context.exit(1 if gaps else 0)


def compiled(where: str) -> Query | None:
    from collectors.wire.packets.columns import COLUMNS
    from nettui.query import QueryError, compile

    try:
        return compile(where, COLUMNS) if where else None
    except QueryError as error:
        raise click.UsageError(told(error, "--where: ")) from error
