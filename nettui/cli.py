"""The command line: ``nettui`` for the full screen, and one command for each module of nettui.commands.

Exit status: 0 all that was asked for was read, 1 something could not be, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import click

from nettui import __version__
from nettui.commands.common import NETNS, SETTINGS, complain, entered, named
from nettui.streams import abandon

# command -> what `nettui --help` says of it; its module in nettui.commands is imported when it is used
COMMANDS: Mapping[str, str] = {
    "report": "Print sections once: links, addresses, rules, routes, neighbours, ...",
    "drops": "Watch where packets are lost: a line for each counter that moves.",
    "capture": "Print packets of an interface or a file, record them, and tell what was lost.",
    "check": "Look for faults on this host: what is wrong, worst first, and what to do.",
    "explain": "Tell what a counter or drop reason means, its causes, and what to do.",
}


class Commands(click.Group):
    """The commands by name, each imported when it is used."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"nettui.commands.{name}"), name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class Stopped(BaseException):
    """SIGTERM or SIGHUP: leave in order, then end by the same signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@click.group(cls=Commands, invoke_without_command=True, context_settings=SETTINGS)
@NETNS
@click.option("--panel", metavar="NAME", help="Open the full screen on this panel (the section of a report).")
@click.version_option(__version__, prog_name="nettui", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, netns: str | None, panel: str | None) -> None:
    """See what the kernel's network stack knows, and where packets are lost.

    Without a command: the full screen on a terminal, else the same as `nettui report`. Nothing on the host is changed.
    """
    context.obj = netns
    if context.invoked_subcommand is not None:
        return
    sections = () if panel is None else (panel,)
    named(sections)
    if not (terminal(sys.stdin) and terminal(sys.stdout)):
        from nettui.commands.report import report

        context.invoke(report, sections=sections)
        return
    from nettui.tui.start import run

    context.exit(run(entered(netns), panel))


def terminal(stream: Any) -> bool:
    return stream is not None and stream.isatty()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit status."""
    tune()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    try:
        return cli.main(arguments, "nettui", standalone_mode=False) or 0
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.UsageError as error:
        complain(error.format_message())
        return 2
    except click.ClickException as error:
        complain(error.format_message())
        return 1
    except Stopped as stopped:
        signal.signal(stopped.number, signal.SIG_DFL)
        os.kill(os.getpid(), stopped.number)
        return 128 + stopped.number
    except OSError as error:  # click's own writing, of help and version; the others are caught where they happen
        if os.environ.get("NETTUI_DEBUG"):
            raise
        abandon()
        complain(f"cannot write standard output: {error.strerror or error}")
        return 1
    except Exception as error:
        if os.environ.get("NETTUI_DEBUG"):
            raise
        complain(f"a fault of nettui: {type(error).__name__}: {error}; NETTUI_DEBUG=1 shows where")
        return 1


def tune() -> None:
    """What the interpreter's defaults cost, and nothing here needs."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts no threads for linear algebra, which is not used
    gc.set_threshold(20_000, 20, 20)  # readings leave few cycles; looking for them takes a tenth of a reading


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
