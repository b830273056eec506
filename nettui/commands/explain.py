"""`nettui explain`: what a counter or drop reason means, what causes it, and what to do."""

from __future__ import annotations

import os

import click

from nettui.commands.common import NETNS, SETTINGS, complain, emit, entered

HELP = """\
NAME is a counter as nettui, nstat, ip, tc, conntrack, ethtool or /proc spell it, with its group or without, in any
case; or a drop reason; or a kernel function that drops packets.

\b
Examples:
  nettui explain TcpExt.ListenOverflows        nettui explain TcpExtListenDrops
  nettui explain rx_dropped                    all that have this name
  nettui explain rx_queue_0_drops              of `ethtool -S`
  nettui explain SKB_DROP_REASON_NO_SOCKET     nettui explain netfilter_drop nf_hook_slow

\b
Exit status: 0 all names are known, 1 one is not (the others are printed), 2 wrong usage.
"""


@click.command(context_settings=SETTINGS, epilog=HELP)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Form of output."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@NETNS
@click.option("-o", "--output", metavar="FILE", default="", help="Write FILE, whole or not at all.")
@click.pass_context
def explain(
    context: click.Context, names: tuple[str, ...], form: str, as_json: bool, netns: str | None, output: str
) -> None:
    """Tell what counters and drop reasons mean: causes, what to do, and their number now."""
    from nettui.report import explain as telling
    from nettui.report.make import style_of
    from nettui.snapshot import take

    host = entered(netns or context.obj)
    answers = telling.answered(names)
    snapshot = take(telling.tables(answers), host)
    if as_json or form == "json":
        emit(output, lambda out: [telling.document(answers, snapshot)])
    else:
        emit(output, lambda out: telling.text(answers, snapshot, style_of(out, dict(os.environ))))
    unknown = [answer for answer in answers if not answer.entries]
    for answer in unknown:
        complain(telling.missing(answer))
    context.exit(int(bool(unknown)))
