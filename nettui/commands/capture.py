"""`nettui capture`: packets as lines or on the screen, from a device or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nettui.commands.common import NETNS, SETTINGS, Number, entered

if TYPE_CHECKING:
    from collectors.table import Gap
    from nettui.packets.session import Session

OF_LINES = ("printing", "quiet", "count")
ROTATION = ("rotate_size", "rotate_seconds", "files", "gzip")
HELP = """\b
FILTER is libpcap's language: 'tcp port 443 and host 10.0.0.1' (man 7 pcap-filter). With -i the kernel applies it.
--where is nettui's own, applied to what is printed: 'dport 53 and has dns_rcode'.

\b
Examples:
  nettui capture -i eth0 'port 53'
  nettui capture -i any -c 100 --where 'flags ~ R'
  nettui capture -i eth0 -s 128 -w trace.pcap --rotate-size 100 --files 10
  nettui capture -i eth0 -w lost.pcap --freeze-on 'counter Udp.RcvbufErrors and rate > 10'
  nettui capture -r trace.pcapng --screen
  nettui capture -r trace.pcapng --format ndjson | jq .src
  nettui capture -r trace.pcapng -w dns.pcap 'port 53'
  ssh host tcpdump -w - | nettui capture -r -

\b
Three numbers of lost packets stand at the end: what the kernel had no room for, what the interface had no room
for, and what was recorded but not printed, because printing fell behind. Ctrl-C ends a capture.
Exit status: 0 it went as asked, 1 something could not be read, captured or written, 2 wrong usage.
"""


@click.command(context_settings=SETTINGS, epilog=HELP)
@click.argument("expression", nargs=-1, metavar="[FILTER]")
@click.option("-i", "--interface", metavar="NAME", help="Capture on this interface; any: all of them.")
@click.option("-r", "--read", "file", metavar="FILE", help="Read packets from FILE (pcap, pcapng, gzip); - for stdin.")
@click.option("--screen", is_flag=True, help="Show them on the full screen: list, flows, one packet's tree and bytes.")
@click.option("-w", "--write", metavar="FILE", help="Record into FILE (pcap), - for stdout; nothing is printed then. "
              "With -r: what passes FILTER and --where.")  # fmt: skip
@click.option("--print", "printing", is_flag=True, help="Print packets although they are recorded with -w.")
@click.option("-q", "--quiet", is_flag=True, help="Print no packets: the summary alone.")
@click.option("-c", "--count", metavar="N", type=click.IntRange(1), help="End after N packets.")
@click.option("--where", metavar="EXPR", default="", help="Print only the packets that satisfy the filter.")
@click.option("--format", "form", type=click.Choice(["text", "ndjson", "csv"]), default="text", show_default=True)
@click.option(
    "-s", "--snaplen", metavar="BYTES", type=click.IntRange(0), default=0, help="Keep so much of a packet; 0: all."
)
@click.option("--promiscuous", is_flag=True, help="Take what is sent to others too.")
@click.option("-Q", "--direction", type=click.Choice(["in", "out", "both"]), default="both", show_default=True)
@click.option("-B", "--buffer", metavar="MIB", type=click.IntRange(1, 2000),
              help="Room in the kernel, before it drops packets.  [default: 64, with --screen 32]")  # fmt: skip
@click.option("--ring", metavar="MIB", type=click.IntRange(1, 1 << 20), default=128, show_default=True,
              help="Packets that are kept in memory.")  # fmt: skip
@click.option("--rotate-size", metavar="MB", type=Number(0), default=0.0, help="-w: a new file after so much.")
@click.option("--rotate-seconds", metavar="S", type=Number(0), default=0.0, help="-w: a new file after so long.")
@click.option("--files", metavar="N", type=click.IntRange(0), default=0, help="-w: keep the newest N of them.")
@click.option(
    "--freeze-on",
    metavar="EXPR",
    default="",
    help="-w: end when a counter of `nettui drops` that moves "
    "satisfies EXPR, and write only then what the ring holds: what led to it.",
)
@click.option("--gzip", is_flag=True, help="-w: compress each file that is finished.")
@NETNS
@click.pass_context
def capture(context: click.Context, /, expression: tuple[str, ...], netns: str | None, **options: Any) -> None:
    """Print packets, a line each, and at the end what was lost and the largest flows."""
    from nettui.commands.capture_lines import of_device, of_file

    options["expression"] = " ".join(expression)
    refused = unfit(options)
    if refused:
        raise click.UsageError(refused)
    if options["screen"]:
        context.exit(on_screen(netns or context.obj, options))
    elif options["file"] is not None:
        context.exit(of_file(options))
    context.exit(of_device(entered(netns or context.obj), options))


def unfit(options: dict[str, Any]) -> str:
    """What of the options does not go together; "" where all does."""
    if (options["interface"] is None) == (options["file"] is None):
        return "which packets? -i INTERFACE captures them (any: on all), -r FILE reads them"
    if options["screen"] and (options["write"] or options["where"] or options["file"] == "-"):
        return "--screen has no -w (its key w saves), no --where (its key / filters), and reads no standard input"
    if options["screen"] and (options["form"] != "text" or any(options[name] for name in OF_LINES)):
        return "--screen prints nothing: --print, -q, -c and --format are for lines"
    if options["file"] is not None:
        if options["freeze_on"] or any(options[name] for name in ROTATION):
            return "--freeze-on, --rotate-size, --rotate-seconds, --files and --gzip are for -i"
    elif options["write"] is None and any(options[name] for name in ROTATION):
        return "--rotate-size, --rotate-seconds, --files and --gzip are for -w FILE"
    if options["freeze_on"] and options["write"] in (None, "-"):
        return "--freeze-on needs -w FILE, into which it writes"
    if options["write"] == "-" and options["printing"]:
        return "-w - writes packets to standard output: nothing else can be printed there"
    return ""


def on_screen(netns: str | None, options: dict[str, Any]) -> int:
    """The full screen's capture panel, begun."""
    from collectors.capture.filters import SNAPLEN
    from nettui.packets.begin import BUFFER, of_device, of_file
    from nettui.tui.start import run

    host, name, expression = entered(netns), options["file"] or options["interface"], options["expression"]

    room = BUFFER if options["buffer"] is None else options["buffer"] << 20

    def begin() -> Session | Gap:
        if options["file"]:
            return of_file(name, expression)
        return of_device(
            host, name, expression, options["ring"] << 20, buffer=room, snaplen=options["snaplen"] or SNAPLEN,
            promiscuous=options["promiscuous"], direction=options["direction"],
        )  # fmt: skip

    def then(pane: Any) -> None:
        pane.expression = expression
        pane.begin_with(name, begin)

    return run(host, "capture", then)
