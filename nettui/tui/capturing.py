"""What is asked for in the capture panel: to begin, to end, other packets, a file, a stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.capture.device import ANY, COOKED
from collectors.capture.filters import ETHERNET
from collectors.values import Cell
from nettui.packets.begin import of_device, of_file, wrong
from nettui.packets.listing import Listing
from nettui.packets.saving import SeveralLinkTypes, saved
from nettui.packets.stream import Stream, followed, lines
from nettui.tui.capture_views import DEVICES, PACKETS
from nettui.tui.cells import HEADING, PLAIN
from nettui.tui.dialogs import Paragraph, Reader
from nettui.tui.line_box import LineBox

if TYPE_CHECKING:
    from nettui.tui.capture_pane import CapturePane

LANGUAGE = "libpcap's language, as port 53 and host 10.0.0.1; Enter begins, empty: all packets; Esc leaves"
FROM_NOW_ON = "what passes is captured from now on, and what is here stays; Esc leaves it as it was"


def begin(pane: CapturePane, device: str, expression: str | None = None) -> None:
    """Ask for libpcap's filter, then capture. ``expression``: filled in; None: that of before."""

    def take(text: str) -> None:
        host = pane.nettui.host
        pane.begin_with(device, lambda: of_device(host, device, text), text)

    link = COOKED if device == ANY else ETHERNET  # what another device has is seen when it is opened
    before = pane.session if pane.session and pane.session.live and pane.session.read.packets else None
    gone = f"Enter lets the {before.read.packets:,} packets of {before.name} go (w saves them)" if before else ""
    text = pane.expression if expression is None else expression
    hint = f"{gone}; Esc leaves" if gone else LANGUAGE
    ask(pane, f"capture on {device}, filter> ", text, hint, lambda text: wrong(text, link), take)


def open_file(pane: CapturePane) -> None:
    def take(path: str) -> None:
        whole = str(path_of(path))
        pane.begin_with(whole, lambda: of_file(whole), "")

    ask(pane, "open> ", "", "the path of a file: pcap, pcapng, gzip", no_file, take)


def end(pane: CapturePane) -> None:
    """End the capture; its packets stay."""
    if pane.session and pane.session.live and not pane.session.ended:
        threading.Thread(target=pane.session.stop, daemon=True, name="stop").start()
        pane.nettui.say("the capture ends; its packets stay, i begins another")
    else:
        pane.nettui.say("nothing is being captured: i chooses a device")


def capture_filter(pane: CapturePane) -> None:
    """Another filter for the running capture, or for the file; without one, for the next capture."""
    session = pane.session
    if session is not None and session.live is None:
        file_filter(pane, session.name)
        return
    if session is None:
        pane.enter(DEVICES)
        pane.nettui.say("Enter on a device asks for its filter")
        return
    if session.live is None or session.ended:
        pane.nettui.say("the capture has ended: i begins another; / filters the packets that are here")
        return
    app, recorder, link = pane.nettui, session.live.recorder, session.live.device.link

    def take(text: str) -> None:
        def run() -> None:
            try:
                recorder.filter(text)
            except ValueError as error:  # a name that cannot be found any more; the end of the capture
                app.call_later(app.say, f"{text}: {error}")
            else:
                app.call_later(setattr, pane, "expression", text)

        threading.Thread(target=run, daemon=True, name="filter").start()

    ask(
        pane, f"capture on {session.name}, filter> ", pane.expression, FROM_NOW_ON,
        lambda text: wrong(text, link), take,
    )  # fmt: skip


def file_filter(pane: CapturePane, path: str) -> None:
    """Read the file again, with another filter."""

    def take(text: str) -> None:
        pane.begin_with(path, lambda: of_file(path, text), text)

    ask(pane, f"read {Path(path).name}, filter> ", pane.expression, LANGUAGE, wrong, take)


def save(pane: CapturePane) -> None:
    """The packets that are shown, as a file."""
    session = pane.session
    if session is None or not len(session.listing):
        pane.nettui.say("no packets to save")
        return
    listing = session.listing

    def take(path: str) -> None:
        app, whole = pane.nettui, str(path_of(path).absolute())

        def run() -> None:
            app.call_later(app.say, written(listing, whole))

        app.say(f"saving {len(listing):,} packets ...")
        threading.Thread(target=run, daemon=True, name="save").start()

    what = "all" if len(listing) == listing.total else "the"
    ask(pane, f"save {what} {len(listing):,} packets as> ", "", "a new pcap file, for its owner alone", not_new, take)


def follow(pane: CapturePane) -> None:
    """What the ends of a TCP connection sent, of a packet or a flow."""
    session, row = pane.session, pane.under_cursor()
    if session is None or row is None or pane.view not in (PACKETS, "flows"):
        pane.nettui.say("f follows the TCP stream of a packet or a flow")
        return
    if row.get("proto") != "tcp" or row.get("sport") is None:
        pane.nettui.say("only TCP has streams that can be followed")
        return
    app, number = pane.nettui, row.get("number")
    reader = Reader("TCP stream", lambda width: [(("reading ...", PLAIN),)])

    def run() -> None:
        found = followed(session.listing.batches, row, number if isinstance(number, int) else 0)
        page = lru_cache(maxsize=1)(partial(stream_page, found, row))  # asked for its height, and for itself
        app.call_later(reader.lay_out, page, told(found))

    app.push_screen(reader)
    threading.Thread(target=run, daemon=True, name="stream").start()


def stream_page(stream: Stream, row: Mapping[str, Cell], width: int) -> list[Paragraph]:
    """Each line with its direction, ``>`` of the end that began: what answers is set in another colour."""
    ends = f"{row['src']} port {row['sport']}", f"{row['dst']} port {row['dport']}"
    began, answers = ends[::-1] if stream.turned else ends
    page: list[Paragraph] = [((f"> {began}", PLAIN),), ((f"< {answers}", HEADING),), ()]
    for back, text in lines(stream, max(20, width - 2)):
        answer = back != stream.turned
        page.append(((f"{'<' if answer else '>'} {text}", HEADING if answer else PLAIN),))
    return page if stream.parts else [*page, (("nothing was sent but headers", PLAIN),)]


def told(stream: Stream) -> str:
    size = sum(len(part.octets) for part in stream.parts)
    lost = sum(part.lost for part in stream.parts)
    missing = f", {lost:,} not captured" if lost else ""
    where = f"packets {stream.first:,} to {stream.last:,}" if stream.last > stream.first else f"packet {stream.first:,}"
    return f"{size:,} bytes{missing}, {where}  Esc leaves"


def ask(
    pane: CapturePane, prompt: str, text: str, hint: str, judge: Callable[[str], str], take: Callable[[str], None]
) -> None:
    if not pane.screen.query(LineBox):
        pane.screen.mount(LineBox(prompt, text, hint, judge, take))


def path_of(text: str) -> Path:
    """``~`` is the home folder of who runs this."""
    with suppress(RuntimeError):  # no such user
        return Path(text).expanduser()
    return Path(text)


def no_file(path: str) -> str:
    found = path_of(path)
    if found.is_file():
        return ""
    return "a folder" if found.is_dir() else "not a plain file" if found.exists() else "no such file"


def not_new(path: str) -> str:
    """What speaks against making a file there."""
    found = path_of(path)
    if not path or found.is_dir():
        return "the name of a file is needed"
    if found.exists():
        return "there is a file of that name"
    return "" if found.parent.is_dir() else "there is no such folder"


def written(listing: Listing, path: str) -> str:
    """A sentence of what became of it."""
    try:
        count = saved(listing.chosen(), Path(path))
        return f"{count:,} packet{' is' if count == 1 else 's are'} in {path}"
    except (OSError, SeveralLinkTypes) as error:
        return f"{path}: {getattr(error, 'strerror', '') or error}"
