"""`nettui capture`: packets as lines, from a device or from a file, and at the end what was lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import click

from nettui.commands.common import NETNS, SETTINGS, complain, entered, told

if TYPE_CHECKING:
    from collectors import Host
    from collectors.capture.files import Target
    from collectors.table import Column, Gap
    from nettui.packets.live import LiveCapture
    from nettui.packets.reading import Batch
    from nettui.packets.saving import Saving
    from nettui.packets.session import Session
    from nettui.query import Query
    from nettui.report.capture import Seen

MIB = 1 << 20
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
@click.option("-B", "--buffer", metavar="MIB", type=click.IntRange(1, 2000), default=64, show_default=True,
              help="Room in the kernel, before it drops packets.")  # fmt: skip
@click.option("--ring", metavar="MIB", type=click.IntRange(1, 1 << 20), default=128, show_default=True,
              help="Packets that are kept in memory.")  # fmt: skip
@click.option(
    "--rotate-size", metavar="MB", type=click.FloatRange(0), default=0.0, help="-w: a new file after so much."
)
@click.option(
    "--rotate-seconds", metavar="S", type=click.FloatRange(0), default=0.0, help="-w: a new file after so long."
)
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
    refused = unfit(expression, options)
    if refused:
        raise click.UsageError(refused)
    if options["screen"]:
        context.exit(on_screen(netns or context.obj, " ".join(expression), options))
    query = compiled(options["where"], packet_columns(), "--where: ")
    freezing = compiled(options["freeze_on"], ledger_columns(), "--freeze-on: ") if options["freeze_on"] else None
    if freezing is not None and not os.access(Path(options["write"]).parent, os.W_OK | os.X_OK):
        raise click.ClickException(f"{options['write']}: no file can be made in that folder")  # before it is waited for
    if options["file"] is not None:
        context.exit(copied(from_file(options["file"], " ".join(expression)), query, options))
    with ExitStack() as stack:
        live = started(netns or context.obj, " ".join(expression), options)
        stack.callback(live.stop)
        for note in live.device.notes:
            complain(f"{note.reason}{f'; {note.remedy}' if note.remedy else ''}")
        stack.enter_context(ended_by_interrupt(live))
        if freezing is not None:
            stack.enter_context(frozen_on(freezing, entered(netns or context.obj), live, options["write"]))
        context.exit(shown(live.batches(), query, options, live))


def unfit(expression: tuple[str, ...], options: dict[str, Any]) -> str:
    """What of the options does not go together; "" where all does."""
    if (options["interface"] is None) == (options["file"] is None):
        return "which packets? -i INTERFACE captures them (any: on all), -r FILE reads them"
    if options["screen"] and (options["write"] or options["where"] or options["file"] == "-"):
        return "--screen has no -w (its key w saves), no --where (its key / filters), and reads no standard input"
    if options["file"] is not None:
        if options["freeze_on"] or any(options[name] for name in ROTATION):
            return "--freeze-on, --rotate-size, --rotate-seconds, --files and --gzip are for -i"
    elif options["write"] is None and (options["rotate_size"] or options["rotate_seconds"] or options["gzip"]):
        return "--rotate-size, --rotate-seconds and --gzip are for -w FILE"
    if options["freeze_on"] and options["write"] in (None, "-"):
        return "--freeze-on needs -w FILE, into which it writes"
    if options["write"] == "-" and options["printing"]:
        return "-w - writes packets to standard output: nothing else can be printed there"
    return ""


def on_screen(netns: str | None, expression: str, options: dict[str, Any]) -> int:
    """The full screen's capture panel, begun."""
    from collectors.capture.filters import SNAPLEN
    from nettui.packets.begin import of_device, of_file
    from nettui.tui.app import run

    host, name = entered(netns), options["file"] or options["interface"]

    def begin() -> Session | Gap:
        if options["file"]:
            return of_file(name, expression)
        return of_device(
            host, name, expression, options["ring"] * MIB, snaplen=options["snaplen"] or SNAPLEN,
            promiscuous=options["promiscuous"], direction=options["direction"],
        )  # fmt: skip

    def then(pane: Any) -> None:
        pane.expression = expression
        pane.begin_with(name, begin)

    return run(host, "capture", then)


def started(netns: str | None, expression: str, options: dict[str, Any]) -> LiveCapture:
    from collectors.capture.device import CaptureError, opened
    from collectors.capture.filters import SNAPLEN, FilterError
    from nettui.packets.live import LiveCapture

    host = entered(netns)
    try:
        device = opened(
            host, options["interface"], expression, snaplen=options["snaplen"] or SNAPLEN,
            promiscuous=options["promiscuous"], buffer=options["buffer"] * MIB, direction=options["direction"],
        )  # fmt: skip
    except FilterError as error:
        raise click.UsageError(f"FILTER: {error}") from error
    except CaptureError as error:
        raise click.ClickException(
            f"{error.gap.reason}{f'; {error.gap.remedy}' if error.gap.remedy else ''}"
        ) from error
    except OSError as error:
        raise click.ClickException(f"{options['interface']}: {error.strerror or error}") from error
    count = None if options["where"] else options["count"]
    try:
        live = LiveCapture(device, options["ring"] * MIB, target(options), count)
    except OSError as error:
        device.close()
        raise click.ClickException(f"{options['write']}: {error.strerror or error}") from error
    live.start()
    return live


def target(options: dict[str, Any]) -> Target | None:
    from collectors.capture.files import Target

    if options["write"] is None or options["freeze_on"]:
        return None
    size = int(options["rotate_size"] * 1_000_000)
    return Target(options["write"], size, options["rotate_seconds"], options["files"], options["gzip"])


def from_file(path: str, expression: str) -> Iterator[Batch | Gap]:
    from collectors.capture.filters import FilterError
    from collectors.wire.netlink import DecodeError
    from nettui.packets.reading import batches

    try:
        yield from batches(path, expression)
    except FilterError as error:
        raise click.UsageError(f"FILTER: {error}") from error
    except DecodeError as error:
        raise click.ClickException(f"{path}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error


def copied(batches: Iterator[Batch | Gap], query: Query | None, options: dict[str, Any]) -> int:
    """Print packets of a file, and with -w put those into another."""
    from nettui.packets.saving import Saving, SeveralLinkTypes

    if options["write"] is None:
        return shown(batches, query, options)
    path = options["write"]
    if path != "-" and options["file"] != "-" and same(path, options["file"]):
        raise click.UsageError("-w would overwrite the file that -r reads")
    try:
        with Saving(path) as saving:
            return shown(batches, query, options, saving=saving)
    except SeveralLinkTypes as error:
        raise click.ClickException(f"{path}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error


def same(one: str, other: str) -> bool:
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)


def shown(
    batches: Iterator[Batch | Gap | None],
    query: Query | None,
    options: dict[str, Any],
    live: LiveCapture | None = None,
    saving: Saving | None = None,
) -> int:
    """Print what comes, and at the end the summary; the exit status."""
    from collectors.table import Gap
    from nettui.report.capture import Seen, losses, summary
    from nettui.report.output import destination
    from nettui.streams import deserted

    seen, gaps = Seen(), list[Gap]()
    printing = not options["quiet"] and (options["write"] is None or options["printing"])
    with ExitStack() as stack:
        out = stack.enter_context(destination("")) if printing else None
        for batch in batches:
            if isinstance(batch, Gap):
                gaps.append(batch)
            elif batch is not None:
                told_of(batch, seen, query, options, out, saving)
            if out is not None and batch is None and deserted(out):
                break
            if options["count"] is not None and seen.told >= options["count"]:
                break
    if live is not None:
        live.stop()
        gaps += live.gaps()
        complain(losses(live.losses(), live.recorder.counts.captured))
    for sentence in summary(seen, gaps):
        complain(sentence)
    return 1 if gaps else 0


def told_of(
    batch: Batch, seen: Seen, query: Query | None, options: dict[str, Any], out: TextIO | None, saving: Saving | None
) -> None:
    """One batch: counted, and printed and saved as far as it is wanted."""
    import numpy as np

    from nettui.report.capture import FORMS, heading, limited

    first = not seen.packets
    table = seen.add(batch.table)
    rows = None if query is None else np.flatnonzero(query.mask(table))
    wanted = table if rows is None else table.take(rows)
    wanted = limited(wanted, None if options["count"] is None else options["count"] - seen.told)
    seen.told += len(wanted)
    if saving is not None:
        saving.add(batch.records, np.arange(len(wanted)) if rows is None else rows[: len(wanted)])
    if out is not None:
        out.write((heading(options["form"], table) if first else "") + "".join(FORMS[options["form"]](wanted)))
        out.flush()


@contextmanager
def ended_by_interrupt(live: LiveCapture) -> Iterator[None]:
    """Ctrl-C ends the capture, and what came before it is still told; a second one ends that too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=live.recorder.stop, daemon=True).start()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def frozen_on(query: Query, host: Host, live: LiveCapture, path: str) -> Iterator[None]:
    """When a counter of loss satisfies the filter, the capture ends, and what the ring holds is written."""
    from nettui.packets.freeze import LossWatch, written

    watch = LossWatch(host, query)

    def end() -> None:
        watch.join()
        if watch.seen is not None:
            live.recorder.stop()

    watch.start()
    threading.Thread(target=end, daemon=True, name="freeze").start()
    try:
        yield
    finally:
        watch.stop()
        if watch.gap is not None:
            complain(f"losses cannot be watched: {watch.gap.reason}")
        if watch.seen is not None:
            row, frozen = watch.seen, live.ring.freeze()
            moved = f"{row['counter']} {row['scope']} moved by {row['delta']}"
            last = f"the last {frozen.amount.packets:,} packets before that"
            try:
                size = written(frozen, Path(path))
            except OSError as error:
                raise click.ClickException(f"{moved}: {last} are not in {path}: {error.strerror or error}") from error
            complain(f"{moved}: {last} are in {path} ({size:,} bytes)")
        elif watch.gap is None:
            complain(f"no counter came to satisfy --freeze-on: nothing was written to {path}")


def packet_columns() -> Sequence[Column]:
    from nettui.packets.judged import COLUMNS

    return COLUMNS


def ledger_columns() -> Sequence[Column]:
    from nettui.report.schema import declared

    return declared("drops")


def compiled(where: str, columns: Sequence[Column], option: str) -> Query | None:
    from nettui.query import QueryError, compile

    try:
        return compile(where, columns) if where else None
    except QueryError as error:
        raise click.UsageError(told(error, option)) from error
