"""The path from the instance to the service as one SVG. Pure.

A single vertical line, legible in a window of 360 CSS pixels and the same at any width: the
instance in its subnet at the top, then hop by hop, the endpoints' addresses by where they are,
the service at the end. A state is told by shape and word as well as by colour.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Optional

from agentcheck.model import FAIL, OK, PENDING, UNKNOWN, WARN, Report, printable
from agentcheck.render.endpoints import Address, Way, ways
from agentcheck.render.hops import NOT_REACHED, Hop, hops

WIDTH = 320
_RAIL = 27
_TEXT = 47
_RIGHT = 308
_SHOWN = 4  # addresses of one service in one place; the page's table has all

# Drawn within -10..10, each with its own outline; the glyph inside is cut out of it.
_OUTLINES = {
    OK: ("M10 0A10 10 0 1 1-10 0A10 10 0 1 1 10 0Z", "M-4.5 .5L-1.5 3.5L4.5-3"),
    WARN: ("M0-10.5L11 8.5H-11Z", "M0-4V2M0 5.2V5.8"),
    FAIL: (
        "M-4.3-10H4.3L10-4.3V4.3L4.3 10H-4.3L-10 4.3V-4.3Z",
        "M-3.5-3.5L3.5 3.5M3.5-3.5L-3.5 3.5",
    ),
    UNKNOWN: ("M0-11L11 0L0 11L-11 0Z", "M-2.6-2.2A2.6 2.6 0 1 1 0 .9V1.6M0 4.8V5.2"),
    PENDING: ("M-9-9H9V9H-9Z", "M-4.6 0H-4.5M-.05 0H.05M4.5 0H4.6"),
    NOT_REACHED: ("M8.5 0A8.5 8.5 0 1 1-8.5 0A8.5 8.5 0 1 1 8.5 0Z", ""),
}


def clean(text: object) -> str:
    """Anything of a report, to stand in HTML or SVG text or in a quoted attribute."""
    return html.escape(printable(str(text)), quote=True)


def signs() -> str:
    """The signs of all states, once in a page; the diagram and the icons refer to them."""
    drawn = []
    for state, (outline, glyph) in _OUTLINES.items():
        kind = "ring" if state == NOT_REACHED else "outline"
        inside = f'<path class="glyph" d="{glyph}"/>' if glyph else ""
        drawn.append(f'<g id="sign-{state}"><path class="{kind}" d="{outline}"/>{inside}</g>')
    return f'<svg class="signs" aria-hidden="true"><defs>{"".join(drawn)}</defs></svg>'


def icon(state: str) -> str:
    """The sign to stand in a line of text, where its word stands beside it."""
    return (
        '<svg class="icon" viewBox="-12 -12 24 24" aria-hidden="true">'
        f'<use href="#sign-{state}"/></svg>'
    )


def _sign(state: str, x: float, y: float, size: float = 10) -> str:
    """The sign around a point; `size` is its radius."""
    scale = f" scale({size / 10:g})" if size != 10 else ""
    return (
        f'<use href="#sign-{state}" class="s-{state}" transform="translate({x:g} {y:g}){scale}"/>'
    )


def render(report: Report) -> str:
    """The SVG element, for a page with `signs()` and the style; its words are in its description
    too."""
    return _Drawing().draw(report)


def advance(char: str) -> float:
    """The width of a character in ems, on the wide side (DejaVu Sans): fonts are not known."""
    if unicodedata.east_asian_width(char) in "WF":
        return 1.1
    if char in "mwMW@%&":
        return 1.0
    if char in " .,:;'|!()[]/-ijltfr":
        return 0.42
    return 0.78 if char.isupper() else 0.65


def fit(text: str, size: float, width: float, lines: int, mono: bool = False) -> list[str]:
    """The text in lines of that width, broken at spaces where there are any, with an ellipsis
    where there is more of it."""
    room = width / size

    def measure(part: str) -> float:
        return sum(0.62 if mono and char.isascii() else advance(char) for char in part)

    made, rest = [""], printable(text).split()
    while rest:
        word = rest.pop(0)
        grown = f"{made[-1]} {word}" if made[-1] else word
        if measure(grown) <= room:
            made[-1] = grown
        elif made[-1]:
            if len(made) == lines:
                rest.insert(0, word)
                break
            made.append("")
            rest.insert(0, word)
        else:
            cut = len(word)
            while cut > 1 and measure(word[:cut]) > room:
                cut -= max(1, (cut - int(room)) // 2)
            made[-1] = word[:cut]
            rest.insert(0, word[cut:])
            if len(made) == lines:
                break
            made.append("")
    if rest:
        last = made[-1]
        while last and measure(f"{last}\u2026") > room:
            last = last[:-1]
        made[-1] = f"{last.rstrip()}\u2026"
    return [line for line in made if line]


class _Drawing:
    """What is drawn so far, from the top down to `y`; boxes and the line come to lie behind."""

    def __init__(self) -> None:
        self.y = 8.0
        self._boxes: list[str] = []
        self._marks: list[str] = []
        self._stops: list[tuple[float, str]] = []

    def draw(self, report: Report) -> str:
        stops = hops(report)
        self._subnet(report, [hop for hop in stops if hop.name in _ON_INSTANCE])
        for hop in stops:
            if hop.name in ("name", "proxy", "instance-security-group"):
                self._hop(hop)
        entrance = [hop for hop in stops if hop.name == "endpoint-security-group"]
        self._endpoints(entrance, ways(report))
        for hop in stops:
            if hop.name in ("tls", "service"):
                self._hop(hop)
        told = " ".join(f"{_sentence(hop)}." for hop in stops)
        return "".join(
            [
                f'<svg class="path" role="img" aria-labelledby="path-title path-desc"'
                f' xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y:g}">',
                '<title id="path-title">The path from the instance to the service</title>',
                f'<desc id="path-desc">{clean(told)}</desc>',
                *self._boxes,
                *self._line(),
                *self._marks,
                "</svg>",
            ]
        )

    def _subnet(self, report: Report, stops: Sequence[Hop]) -> None:
        instance = report.instance
        top = self.y
        zone = instance.get("availability_zone")
        place = [instance.get("subnet_id") or "subnet", f"({zone})" if zone else ""]
        vpc = instance.get("vpc_id")
        self.y += 20
        self._caption(12, " ".join(str(part) for part in place if part))
        if vpc:
            self.y += 16
            self._caption(12, f"in {vpc}")
        self.y += 12
        inner = self.y
        self.y += 20
        who = [instance.get("instance_id") or "this instance", instance.get("local_ipv4") or ""]
        self._caption(18, " ".join(str(part) for part in who if part), "strong")
        self.y += 10
        for hop in stops:
            self._hop(hop)
        self._box("instance", 8, inner, self.y - 4)
        self.y += 6
        self._box("subnet", 1, top, self.y)
        self.y += 16

    def _endpoints(self, entrance: Sequence[Hop], found: Sequence[Way]) -> None:
        top = self.y
        self.y += 8
        for hop in entrance:
            self._hop(hop, last=not found)
        self.y += 0 if entrance else 6
        for way in found:
            self._way(way)
        self._box("endpoints", 1, top, self.y)
        self.y += 16

    def _way(self, way: Way) -> None:
        self._marks.append(
            f'<g data-service="{clean(way.service)}" data-state="{clean(way.state)}">'
        )
        self.y += 16
        name = fit(way.service, 13, 130, 1, mono=True)
        self._marks.append(_sign(way.state, _TEXT + 6, self.y - 4.5, 6.5))
        self._row(_TEXT + 18, name[0] if name else "?", way.word, way.state, "service", 13)
        if way.detail:
            self.y += 16
            self._caption(_TEXT + 18, way.detail)
        for place, addresses in way.places:
            self.y += 18
            self._caption(_TEXT + 18, place)
            for address in addresses[:_SHOWN]:
                self._address(address)
            if len(addresses) > _SHOWN:
                self.y += 17
                words = dict.fromkeys(address.word for address in addresses[_SHOWN:])
                more = f"{len(addresses) - _SHOWN} more: {', '.join(words)}"
                self._caption(_TEXT + 33, more)
        self._marks.append("</g>")
        self.y += 12

    def _address(self, found: Address) -> None:
        """Its word stands beside it, or below where it is as long as IPv6 can be."""
        self.y += 18
        size = 12
        left = _TEXT + 33
        self._marks.append(_sign(found.state, _TEXT + 23, self.y - 4, 5))
        lines = fit(found.address, size, _RIGHT - left, 2, mono=True) or ["?"]
        if len(lines) == 1 and len(lines[0]) <= 18:
            self._row(left, lines[0], found.word, found.state, "address", size)
            return
        for line in lines:
            self._text(left, line, "address")
            self.y += 15
        self._text(left, found.word, f"word s-{found.state}", size)

    def _row(self, x: float, text: str, word: str, state: str, kind: str, size: float) -> None:
        """A name in monospace and, after it, the word of its state."""
        after = x + (len(text) * 0.62 + 1) * size
        self._text(x, text, kind)
        cut = fit(word, 12, _RIGHT - after, 1) or [""]
        self._text(after, cut[0], f"word s-{state}")

    def _hop(self, hop: Hop, last: bool = True) -> None:
        self.y += 17
        self._stops.append((self.y - 5, hop.state))
        self._marks.append(
            f'<g class="hop" data-hop="{hop.name}" data-state="{hop.state}">'
            f"{_sign(hop.state, _RAIL, self.y - 5)}"
        )
        self._text(_TEXT, (fit(hop.title, 14, _RIGHT - _TEXT, 1) or [""])[0], "title")
        self.y += 17
        self._state(hop)
        self._marks.append("</g>")
        self.y += 16 if last else 4

    def _state(self, hop: Hop) -> None:
        """The word of the state, and the detail in the same line where it fits, else below."""
        room = _RIGHT - _TEXT
        word = (fit(hop.word, 12.5, room, 1) or [""])[0]
        whole = fit(f"{word} \u00b7 {hop.detail}", 12.5, room, 2)
        beside = hop.detail if len(whole) == 1 else ""
        rest = clean(f" \u00b7 {beside}") if beside else ""
        self._marks.append(
            f'<text x="{_TEXT}" y="{self.y:g}" class="detail">'
            f'<tspan class="word s-{hop.state}">{clean(word)}</tspan>{rest}</text>'
        )
        for line in () if beside else fit(hop.detail, 12.5, room, 2):
            self.y += 16
            self._text(_TEXT, line, "detail")

    def _caption(self, x: float, text: str, kind: str = "") -> None:
        cut = fit(text, 12, _RIGHT - x, 1)
        self._text(x, cut[0] if cut else "", f"caption {kind}".rstrip())

    def _text(self, x: float, text: str, kind: str, size: Optional[float] = None) -> None:
        cut = (fit(text, size, _RIGHT - x, 1) or [""])[0] if size else text
        self._marks.append(f'<text x="{x:g}" y="{self.y:g}" class="{kind}">{clean(cut)}</text>')

    def _box(self, kind: str, x: float, top: float, bottom: float) -> None:
        box = (
            f'<rect class="box {kind}" x="{x:g}" y="{top:g}" width="{WIDTH - 2 * x:g}"'
            f' height="{bottom - top:g}" rx="{12 if kind != "instance" else 9}"/>'
        )
        self._boxes.insert(0, box)  # the outer one is known last and lies behind

    def _line(self) -> Iterator[str]:
        """The way itself, dashed to and from what was not reached."""
        for (y, state), (below, after) in zip(self._stops, self._stops[1:]):
            kind = "rail broken" if NOT_REACHED in (state, after) else "rail"
            yield f'<path class="{kind}" d="M{_RAIL} {y + 13:g}V{below - 13:g}"/>'


_ON_INSTANCE = ("agent", "imds", "role")


def _sentence(hop: Hop) -> str:
    return f"{hop.title}: {hop.word}" + (f", {hop.detail}" if hop.detail else "")
