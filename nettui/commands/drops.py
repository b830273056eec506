"""`nettui drops`: what is lost, a line for each counter that moves, until it is interrupted."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

import click

from nettui.commands.common import NETNS, SETTINGS, Number, complain, entered, told, words

if TYPE_CHECKING:
    from nettui.query import Query

HELP = """\b
A line tells when it was read, the layer, by how much the counter moved, how fast, its name, what it counts for, and the
usual cause; `nettui explain COUNTER` tells more. The first reading is what the others are counted from.

\b
Examples:
  nettui drops                                 until Ctrl-C
  nettui drops --reasons --netns web           with the kernel's own reasons, in one namespace
  nettui drops --since-boot --count 0          what was lost so far, and leave
  nettui drops --count 60 --format ndjson      a minute, for a script
  nettui drops --count 10 --fail-if 'severity loss and rate > 100'

\b
Exit status: 0 also when nothing moved, 1 a line satisfied --fail-if or nothing could be read, 2 wrong usage,
130 interrupted.
"""


@click.command(context_settings=SETTINGS, epilog=HELP)
@NETNS
@click.option(
    "--interval",
    metavar="S",
    type=Number(0.1),
    default=1.0,
    show_default=True,
    help="Seconds between two readings.",
)
@click.option("--count", metavar="N", type=click.IntRange(0), help="End after N intervals.")
@click.option("--since-boot", is_flag=True, help="Begin with what every counter has counted so far.")
@click.option("--layer", "layers", metavar="LAYER", multiple=True, help="Only of this layer; may be repeated.")
@click.option("--where", metavar="EXPR", default="", help="Only rows that satisfy the filter.")
@click.option("--all", "every", is_flag=True, help="Noise too.")
@click.option("--reasons", is_flag=True, help="Count the kernel's drop reasons too, by a BPF program; needs root.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "ndjson", "csv")),
    default="text",
    show_default=True,
    help="Form of the lines.",
)
@click.option("--fail-if", "failing", metavar="EXPR", default="", help="Exit 1 when a line satisfies the filter.")
@click.pass_context
def drops(
    context: click.Context,
    netns: str | None,
    interval: float,
    count: int | None,
    since_boot: bool,
    layers: tuple[str, ...],
    where: str,
    every: bool,
    reasons: bool,
    form: str,
    failing: str,
) -> None:
    """Watch where packets are lost: a line for each counter that moves."""
    from nettui.report.drops import Wish, complaints, lines
    from nettui.report.make import style_of
    from nettui.report.output import destination
    from nettui.sources import follower, watched
    from nettui.streams import deserted

    query, failure = compiled(where, "--where"), compiled(failing, "--fail-if")
    wish = Wish(known_layers(layers), every, query.mask if query else None)
    host = entered(netns or context.obj)
    followed = follower(host)
    failed, gap = False, None
    try:
        if reasons and (gap := followed.watch_reasons(True)):
            complain(f"drop reasons: {gap.reason}{f'; {gap.remedy}' if gap.remedy else ''}")
        readings = islice(watched(host, interval, followed), None if count is None else count + 1)
        with destination("") as out:
            told = lines(readings, wish, form, style_of(out, dict(os.environ)), since_boot)
            for reading in told:
                for sentence in complaints(lacking for lacking in reading.gaps if lacking != gap):
                    complain(sentence)
                out.write(reading.text)
                out.flush()
                if deserted(out):
                    break
                failed |= failure is not None and bool(failure.mask(reading.rows).any())
    finally:
        followed.close()
    context.exit(int(failed))


def compiled(text: str, option: str) -> Query | None:
    from nettui.query import QueryError, compile
    from nettui.report.schema import declared

    try:
        return compile(text, declared("drops")) if text else None
    except QueryError as error:
        raise click.UsageError(told(error, f"{option}: ")) from error


def known_layers(names: tuple[str, ...]) -> frozenset[str]:
    from nettui.knowledge.entry import LAYERS
    from nettui.suggest import unknown

    chosen = [word for name in names for word in words(name)]
    for name in chosen:
        if name not in LAYERS:
            raise click.UsageError(unknown("layer", name, LAYERS))
    return frozenset(chosen)
