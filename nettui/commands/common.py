"""What every command shares: the namespace looked at, sentences on standard error, and where output goes."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from nettui.streams import abandon

if TYPE_CHECKING:
    from collectors import Host
    from nettui.panels.panel import Panel

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
NETNS = click.option("--netns", metavar="NAME|PID|PATH", help="Look at this network namespace.")


class Number(click.FloatRange):
    """Neither nan nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found: float = super().convert(value, param, ctx)
        return found if math.isfinite(found) else self.fail(f"{value!r} is no number.", param, ctx)


def words(text: str) -> tuple[str, ...]:
    """The words between commas, each once."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def named(sections: Sequence[str]) -> list[Panel]:
    """The panels of these names, each once, in the order asked for."""
    from nettui.panels.registry import PANELS
    from nettui.suggest import unknown

    known = {panel.name: panel for panel in PANELS}
    for name in sections:
        if name not in known:
            raise click.UsageError(unknown("section", name, known))
    return [known[name] for name in dict.fromkeys(sections)]


def told(error: Exception, where: str) -> str:
    """A refusal as a sentence, with a caret below the place in the filter."""
    from nettui.query import QueryError

    return f"{where}{error}" + (f"\n{error.pointed()}" if isinstance(error, QueryError) and error.text else "")


def entered(netns: str | None) -> Host:
    """The host, or its namespace, once it is known that it can be entered."""
    from collectors import Host
    from collectors.host import NoSuchNamespace

    host = Host(netns=netns)
    try:
        host.inside(lambda: None)
    except NoSuchNamespace as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        advice = "; run it as root" if os.geteuid() else ""
        raise click.ClickException(f"{error.strerror or error}{advice}") from error
    return host


def emit(output: str, made: Callable[[Any], Any]) -> None:
    """Write the pieces that ``made`` gives for a stream."""
    from nettui.report.output import destination

    try:
        with destination(output) as out:
            for piece in made(out):
                out.write(piece)
    except OSError as error:
        target = output or "standard output"
        raise click.ClickException(f"cannot write {target}: {error.strerror or error}") from error


def complain(message: str) -> None:
    """One sentence on standard error."""
    from nettui.scrub import scrub

    if sys.stderr is None:
        return
    lines = [scrub(line) for line in message.split("\n")]
    try:
        print("nettui: " + "\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201
    except OSError:  # the status still tells
        abandon(sys.stderr)
