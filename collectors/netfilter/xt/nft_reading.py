"""A rule of iptables-nft while its expressions are read: what the registers hold, and what the rule says so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from collectors.netfilter.nft.model import Context
from collectors.netfilter.told import NotTheirs, Told
from collectors.netfilter.xt import parts
from collectors.netfilter.xt.nft_match import Ports
from collectors.netfilter.xt.setting import Setting
from collectors.wire.templates import Pieces, Place, View

TCP, UDP = 6, 17


@dataclass
class Load:
    """What a register holds: bytes of a packet, or what the kernel knows of it; with a mask if one was laid over."""

    base: int | None = None
    offset: int = 0
    length: int = 0
    key: int | None = None
    value: View | None = None
    mask: View | None = None


@dataclass
class Reading:
    """One rule, as far as its expressions were read."""

    context: Context
    setting: Setting
    registers: dict[int, Load] = field(default_factory=dict)
    options: dict[str, Pieces] = field(default_factory=dict)  # by letter
    matches: list[Pieces | Ports] = field(default_factory=list)
    protocol: int = 0
    target: Pieces = ()
    verdict: Pieces = ()
    comment: Pieces = ()
    packets: Place | None = None
    bytes: Place | None = None

    def told(self) -> Told:
        options = [self.options.get(letter, ()) for letter in "sdiopf"]
        matches = [match.pieces() if isinstance(match, Ports) else match for match in self.matches]
        text = parts.joined([*options, *matches, self.target])
        return Told(text, self.verdict, self.comment, self.packets, self.bytes)

    def option(self, letter: str, pieces: Pieces) -> None:
        if letter in self.options:
            raise NotTheirs(f"-{letter} twice")
        self.options[letter] = pieces

    def end(self, target: Pieces, verdict: Pieces = ()) -> None:
        if self.target:
            raise NotTheirs("two targets")
        self.target, self.verdict = target, verdict

    def ports(self) -> Ports:
        """The match of this protocol's ports that is there already, or a new one."""
        name = {TCP: "tcp", UDP: "udp"}[self.protocol]
        for match in self.matches:
            if isinstance(match, Ports) and match.name == name:
                return match
        self.matches.append(found := Ports(name))
        return found

    def load(self, register: View) -> Load:
        found = self.registers.get(register.number())
        if found is None:
            raise NotTheirs("a register that nothing was loaded to")
        return found
