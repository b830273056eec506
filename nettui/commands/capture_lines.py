"""Line mode of `nettui capture`: what is printed, recorded and copied, and at the end what was lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import click
import numpy as np

from collectors import Host
from collectors.capture.device import BUFFER, CaptureError, opened
from collectors.capture.files import STDOUT, Target
from collectors.capture.filters import SNAPLEN, FilterError
from collectors.table import Column, Gap
from collectors.wire.netlink import DecodeError
from nettui.commands.common import complain, told
from nettui.packets.freeze import LossWatch, written
from nettui.packets.judged import COLUMNS
from nettui.packets.live import LiveCapture
from nettui.packets.reading import Batch, batches
from nettui.packets.saving import Saving, SeveralLinkTypes
from nettui.query import Query, QueryError, compile
from nettui.report.capture import FORMS, Seen, heading, limited, losses, summary
from nettui.report.output import destination
from nettui.report.schema import declared
from nettui.streams import deserted

Options = dict[str, Any]  # of the command, by their names; "expression": libpcap's filter


def of_device(host: Host, options: Options) -> int:
    """Capture, print and record; the exit status."""
    query = compiled(options["where"], COLUMNS, "--where: ")
    freezing = compiled(options["freeze_on"], declared("drops"), "--freeze-on: ")
    if freezing is not None and not os.access(Path(options["write"]).parent, os.W_OK | os.X_OK):
        raise click.ClickException(f"{options['write']}: no file can be made in that folder")  # before it is waited for
    with ExitStack() as stack:
        live = started(host, options)
        stack.callback(live.stop)
        for note in live.device.notes:
            complain(sentence(note))
        stack.enter_context(ended_by_interrupt(live))
        if freezing is not None:
            stack.enter_context(frozen_on(freezing, host, live, options["write"]))
        return shown(live.batches(), query, options, live)


def of_file(options: Options) -> int:
    """Print packets of a file, and with -w put those into another; the exit status."""
    query = compiled(options["where"], COLUMNS, "--where: ")
    source, path = packets(options["file"], options["expression"]), options["write"]
    if path is None:
        return shown(source, query, options)
    if path != "-" and options["file"] != "-" and same(path, options["file"]):
        raise click.UsageError("-w would overwrite the file that -r reads")
    try:
        with Saving(path) as saving:
            return shown(source, query, options, saving=saving)
    except SeveralLinkTypes as error:
        raise click.ClickException(f"{path}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error


def compiled(where: str, columns: Sequence[Column], option: str) -> Query | None:
    try:
        return compile(where, columns) if where else None
    except QueryError as error:
        raise click.UsageError(told(error, option)) from error


def sentence(gap: Gap) -> str:
    return f"{gap.reason}{f'; {gap.remedy}' if gap.remedy else ''}"


def started(host: Host, options: Options) -> LiveCapture:
    room = BUFFER if options["buffer"] is None else options["buffer"] << 20
    try:
        device = opened(
            host, options["interface"], options["expression"], snaplen=options["snaplen"] or SNAPLEN,
            promiscuous=options["promiscuous"], buffer=room, direction=options["direction"],
        )  # fmt: skip
    except FilterError as error:
        raise click.UsageError(f"FILTER: {error}") from error
    except CaptureError as error:
        raise click.ClickException(sentence(error.gap)) from error
    except OSError as error:
        raise click.ClickException(f"{options['interface']}: {error.strerror or error}") from error
    count = None if options["where"] else options["count"]
    try:
        live = LiveCapture(device, options["ring"] << 20, target(options), count)
    except OSError as error:
        device.close()
        raise click.ClickException(f"{options['write']}: {error.strerror or error}") from error
    live.start()
    return live


def target(options: Options) -> Target | None:
    if options["write"] is None or options["freeze_on"]:
        return None
    size = int(options["rotate_size"] * 1_000_000)
    return Target(options["write"], size, options["rotate_seconds"], options["files"], options["gzip"])


def packets(path: str, expression: str) -> Iterator[Batch | Gap]:
    try:
        yield from batches(path, expression)
    except FilterError as error:
        raise click.UsageError(f"FILTER: {error}") from error
    except DecodeError as error:
        raise click.ClickException(f"{path}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error


def same(one: str, other: str) -> bool:
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)


def shown(
    batches: Iterator[Batch | Gap | None],
    query: Query | None,
    options: Options,
    live: LiveCapture | None = None,
    saving: Saving | None = None,
) -> int:
    """Print what comes, and at the end the summary; the exit status."""
    seen, gaps = Seen(), list[Gap]()
    printing = not options["quiet"] and (options["write"] is None or options["printing"])
    with ExitStack() as stack:
        out = stack.enter_context(destination("")) if printing else None
        faults = set[Gap]()
        for batch in batches:
            if isinstance(batch, Gap):
                gaps.append(batch)
            elif batch is not None:
                told_of(batch, seen, query, options, out, saving)
            if live is not None:
                if unheard(live, out, quiet=batch is None):
                    break
                complain_of_new(live, faults)
            if options["count"] is not None and seen.told >= options["count"]:
                break
    if live is not None:
        live.stop()
        gaps += live.gaps()
        complain(losses(live.losses(), live.recorder.counts.captured))
    for line in summary(seen, gaps):
        complain(line)
    return 1 if gaps else 0


def complain_of_new(live: LiveCapture, before: set[Gap]) -> None:
    """Faults as they come, as nobody may see the end for hours; those of the end are told there."""
    if not live.ring.ended:
        for fault in live.faults():
            if fault not in before:
                complain(sentence(fault))
                before.add(fault)


def unheard(live: LiveCapture, out: TextIO | None, quiet: bool) -> bool:
    """Whether a pipe's reader has left; ``quiet``: nothing comes that would tell."""
    if live.writer is not None and live.writer.target.path == STDOUT:
        return live.writer.error is not None or (quiet and deserted(sys.stdout))
    return out is not None and quiet and deserted(out)


def told_of(
    batch: Batch, seen: Seen, query: Query | None, options: Options, out: TextIO | None, saving: Saving | None
) -> None:
    """One batch: counted, and printed and saved as far as it is wanted."""
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
