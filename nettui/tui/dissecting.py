"""Packets handed to the dissector by one thread, while the screen goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nettui.packets.dissect import Dissection, Dissector
from nettui.packets.listing import Packet

STILL = 0.25  # seconds that a packet must be looked at before tshark is asked
REMEMBERED = 64  # dissections


class Dissecting:
    """Asks the dissector on one thread, for the latest packet only, once it has been looked at for a moment."""

    def __init__(self, deliver: Callable[[Packet, Dissection], object]) -> None:
        self._deliver = deliver
        self._dissector = Dissector()
        self._known: dict[Packet, Dissection] = {}
        self._wish: Packet | None = None
        self._wake = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def ask(self, packet: Packet) -> None:
        if packet in self._known:
            self._deliver(packet, self._known[packet])
            return
        with self._wake:
            self._wish = packet
            self._wake.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="dissect")
                self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        self._dissector.close()

    def _run(self) -> None:
        while packet := self._next():
            found = self._dissector.dissect(packet.octets, packet.link, packet.time, packet.length)
            if len(self._known) >= REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[packet] = found
            self._deliver(packet, found)

    def _next(self) -> Packet | None:
        """The packet that stays under the cursor; None at the end."""
        with self._wake:
            while not self._stopped:
                packet, self._wish = self._wish, None
                if packet is None:
                    self._wake.wait()
                elif not self._wake.wait_for(lambda: self._wish or self._stopped, STILL):
                    return packet
            return None
