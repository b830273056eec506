"""The screens that open above the table: order, columns, detail, help, pivots and jumps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from collectors.values import Cell
from nettui.details import details
from nettui.tui import explaining
from nettui.tui.dialogs import Checklist, Choice, Chooser, Explanation, Reader
from nettui.tui.drops_pane import DropsPane, counters_below
from nettui.tui.jumps import Jump, candidates, pivots
from nettui.tui.pages import detail as detail_page
from nettui.tui.pages import facts_page, help_page
from nettui.tui.pane import Pane

if TYPE_CHECKING:
    from nettui.tui.app import Nettui

HERE = "here "  # before the number of a place in the panel itself


async def sort(app: Nettui, pane: Pane) -> None:
    """Choose the order; the column that it has already is turned round."""
    if pane.latest is None:
        return
    names = [column.name for column in pane.columns()]
    names += [column.name for column in pane.latest.columns if column.name not in names]
    choices = [Choice(name, name, pane.latest.column(name).help) for name in names]
    own = Choice("(its own order)", "", "as the kernel gives it")
    sort = pane.sort or ("", False)

    def take(name: object) -> None:
        if isinstance(name, str) and pane.latest is not None:
            again = name == sort[0]
            first_down = name in pane.latest and pane.latest.column(name).kind in ("gauge", "counter")
            pane.sort_by((name, not sort[1] if again else first_down) if name else None)
            pane.post_message(pane.Changed())

    await app.push_screen(Chooser("sort by", [*choices, own], sort[0] or None), take)


async def columns(app: Nettui, pane: Pane) -> None:
    """Tick the columns to show."""
    if pane.latest is None:
        return
    names = list(dict.fromkeys((*pane.show, *(column.name for column in pane.latest.columns))))
    choices = [Choice(n, n, pane.latest.column(n).help) for n in names if n in pane.latest]
    ticked = [choice.value for choice in choices if choice.value in pane.show and choice.value]

    def take(names: object) -> None:
        if isinstance(names, list) and names:
            pane.show_columns(names)

    await app.push_screen(Checklist(f"columns of {pane.panel.name}", choices, ticked), take)


async def detail(app: Nettui, pane: Pane) -> None:
    """Every column of the row under the cursor; what is read for it alone follows when it has come."""
    if pane.open_row():
        return
    row, table = pane.cursor_row(), pane.whole()
    if row is None or table is None or pane.notice:
        return
    reader = Reader(f"{pane.panel.name}: {pane.title(row)}", lambda width: detail_page(table, row, width))

    def read() -> None:
        found = details(pane.panel.name, table.row(row), app.host)
        if found:
            app.call_later(
                reader.lay_out,
                lambda width: [*detail_page(table, row, width), (), *facts_page(found, width)],
                f"G: {', '.join(found)}  arrows scroll  Esc leaves",
            )

    await app.push_screen(reader)
    threading.Thread(target=read, daemon=True, name="details").start()


async def explain(app: Nettui, pane: Pane) -> None:
    """What the counter of the row under the cursor means, or which of its columns something is known of."""
    row, table, at = pane.under_cursor(), pane.table, pane.cursor_row()
    if row is None or table is None or at is None:
        return
    if isinstance(pane, DropsPane) and not row.get("counter"):
        rows = counters_below(table, at)
        if not rows:
            app.say("nothing moves here; Enter opens it to counters that can be explained")
            return
        read(app, [(str(below["counter"]), explaining.now(below)) for below in rows])
        return
    found = explaining.names(pane.panel.name, row)
    if row.get("counter"):
        read(app, [(found[0], explaining.now(row)), *((name, "") for name in found[1:])])
    elif len(found) == 1:
        read(app, [(found[0], told(row, found[0]))])
    elif found:
        choices = [Choice(name, name, explaining.cause(name)) for name in found]

        def take(name: object) -> None:
            if isinstance(name, str):
                read(app, [(name, told(row, name))])

        await app.push_screen(Chooser(f"explain, of {pane.title(at)}", choices), take)
    else:
        app.say(f"{pane.panel.name}: no counter above zero in this row that can be explained")


def read(app: Nettui, known: list[tuple[str, str]]) -> None:
    app.push_screen(Explanation(known[0][0], lambda width: explaining.page(known, width)))


def told(row: Mapping[str, Cell], name: str) -> str:
    """What a row's column says, by the counter's name."""
    return f"{row[name.partition('.')[2]]:,}"


async def help(app: Nettui, pane: Pane) -> None:
    """Keys, filter language, and the columns of this panel."""
    await app.push_screen(Reader("help", lambda width: help_page(pane.panel, pane.latest, width, pane.keys)))


async def pivot(app: Nettui, pane: Pane) -> None:
    """From the row under the cursor to what belongs to it elsewhere."""
    row = pane.cursor_row()
    if row is None or pane.table is None or pane.notice:
        return
    jumps = pivots(pane.panel, pane.table.row(row))
    if not jumps:
        app.say(f"{pane.panel.name} has no pivots")
        return
    if all(jump.missing for jump in jumps):
        app.say("this row leads nowhere: it has nothing that is in another panel")
        return
    choices = [
        Choice(jump.label, None if jump.missing else str(index), pivot_hint(jump)) for index, jump in enumerate(jumps)
    ]

    def take(index: object) -> None:
        if isinstance(index, str):
            app.call_later(app.go, jumps[int(index)])

    await app.push_screen(Chooser(f"from {pane.title(row)} to", choices), take)


async def jump(app: Nettui, pane: Pane) -> None:
    """To anything by its name."""
    tables = app.tables()
    found: list[Jump] = []
    here: list[tuple[str, Callable[[], None]]] = []

    def offer(text: str) -> list[Choice]:
        found[:], here[:] = candidates(text, app.panels, tables), pane.places(text)
        choices = [Choice(label, f"{HERE}{index}") for index, (label, _) in enumerate(here)]
        choices += [Choice(jump.label, str(index), jump.where) for index, jump in enumerate(found)]
        return choices or [Choice("nothing of that name has been read", None)]

    def take(index: object) -> None:
        if isinstance(index, str) and index.startswith(HERE):
            here[int(index.removeprefix(HERE))][1]()
        elif isinstance(index, str):
            app.call_later(app.go, found[int(index)])

    await app.push_screen(Chooser("jump to a panel, a device, a process or an address", offer(""), offer=offer), take)


def pivot_hint(jump: Jump) -> str:
    if jump.device:
        return f"on {jump.device}: {jump.where or 'all of them'}"
    return f"not in this row: {jump.missing}" if jump.missing else f"{jump.panel}: {jump.where}"
