"""`nettui check`: what is wrong on this host, worst first, with the evidence and what to do."""

from __future__ import annotations

import os

import click

from nettui.commands.common import NETNS, SETTINGS, Number, emit, entered

HELP = """\b
Examples:
  nettui check
  nettui check conntrack_full mtu --interval 10
  nettui check --json | jq '.findings[] | select(.severity == "error").says'

\b
error: packets or connections are lost now, or cannot pass. warning: they soon will be, or were. note: worth knowing.
Exit status: 0 no error was found, 1 one was, or no diagnosis could be made, 2 wrong usage, 130 interrupted.
"""


@click.command(context_settings=SETTINGS, epilog=HELP)
@click.argument("names", nargs=-1, metavar="[DIAGNOSIS]...")
@click.option("--list", "every", is_flag=True, help="List the diagnoses, and read nothing.")
@click.option("--interval", metavar="SECONDS", type=Number(0, 3600), default=1.0, show_default=True,
              help="Between two readings, that tell what moves; 0: read once.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True,
              help="Form of output.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@NETNS
@click.option("-o", "--output", metavar="FILE", default="", help="Write FILE, whole or not at all.")
@click.pass_context
def check(
    context: click.Context,
    names: tuple[str, ...],
    every: bool,
    interval: float,
    form: str,
    as_json: bool,
    netns: str | None,
    output: str,
) -> None:
    """Look for faults: full tables and queues, drops, wrong MTU, dead next hops, … [DIAGNOSIS]: these only."""
    from nettui.findings.examination import chosen, examined
    from nettui.findings.registry import DIAGNOSES
    from nettui.report import check as telling
    from nettui.report.make import style_of
    from nettui.suggest import unknown

    known = {diagnosis.name: diagnosis for diagnosis in DIAGNOSES}
    for name in names:
        if name not in known:
            raise click.UsageError(unknown("diagnosis", name, known))
    diagnoses = tuple(chosen(names))
    if every:
        emit(output, lambda out: telling.listed(diagnoses))
        return
    told = examined(entered(netns or context.obj), diagnoses, interval)
    if as_json or form == "json":
        emit(output, lambda out: [telling.document(told)])
    else:
        emit(output, lambda out: telling.text(told, style_of(out, dict(os.environ))))
    context.exit(int(bool(told.count("error")) or len(told.missed) == len(diagnoses)))
