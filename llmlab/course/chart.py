"""The sea chart of the Quill Isles, drawn as SVG from the world's own islands and towns.

The world knows which islands there are and which towns lie on them, not where: the outlines, places and depths are
made here from a fixed seed, so the chart is the same on every machine. The frame counts minutes, sixty of them, as
the talk does. Colours are the names of the stylesheet, so the chart follows light and dark by itself.
"""

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from llmlab.world import World, build_world

WIDTH, HEIGHT, FRAME = 496, 372, 15
SEED = 26
# Where an island lies and its radius, the most famous first; a chart needs a cartographer, not a fact.
PLACES = (
    (172, 178, 64), (292, 258, 33), (404, 224, 25), (352, 312, 15), (84, 84, 23), (326, 124, 40),
    (100, 290, 28), (222, 66, 17), (404, 64, 19), (446, 146, 13), (198, 322, 14), (442, 312, 12),
)  # fmt: skip


@dataclass(frozen=True)
class Island:
    name: str
    towns: tuple[str, ...]
    x: float
    y: float
    radius: float
    waves: tuple[tuple[float, float], ...]  # (amplitude, phase) of each harmonic of the coast
    tilt: float
    flat: float

    @property
    def label_inside(self) -> bool:
        return self.radius >= 30

    def outline(self, grow: float = 0.0) -> list[tuple[float, float]]:
        """The coast as points; `grow` moves it out to sea and makes it rounder, for the depth lines."""
        smooth = 1 / (1 + grow / 9)
        points = []
        for k in range(150):
            angle = math.tau * k / 150
            bays = sum(
                amplitude * math.cos((j + 1) * angle + phase) * (smooth if j > 2 else 0.35 + 0.65 * smooth)
                for j, (amplitude, phase) in enumerate(self.waves)
            )
            r = self.radius * max(1 + bays, 0.3) + grow
            points.append(self._turn(r * math.cos(angle), r * math.sin(angle) * (self.flat + grow * 0.004)))
        return points

    def coast(self, grow: float = 0.0) -> str:
        """The outline as an SVG path."""
        return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in self.outline(grow)) + "Z"

    def label(self) -> tuple[float, float, float, str]:
        """x, y, font size and anchor of the name."""
        if self.label_inside:
            return self.x, self.y + 4, 16.5 if self.radius > 50 else 12.5, "middle"
        right = self.x + self.radius * 0.9 + 6
        if right + 7 * len(self.name) < WIDTH - FRAME:
            return right, self.y - self.radius * 0.62, 12.5, "start"
        return self.x, self.y - self.radius - 9, 12.5, "middle"

    def _turn(self, x: float, y: float) -> tuple[float, float]:
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return self.x + x * cos - y * sin, self.y + x * sin + y * cos


@lru_cache(maxsize=1)
def sea_chart() -> str:
    """The chart of the course's world, as one <svg>."""
    return draw(build_world())


def count(world: World) -> str:
    """What there is, for the caption and for whoever cannot see the chart."""
    people = len(world.of_kind("person")) + len(world.of_kind("mother"))
    return f"{len(world.of_kind('island'))} islands, {len(world.of_kind('town'))} towns, {people:,} people"


def draw(world: World) -> str:
    """Sea, depths, grid, land, towns, names, frame: in this order, each over the one before."""
    dice = random.Random(SEED)
    isles = _islands(world, dice)
    labels = [_label_box(isle) for isle in isles]
    inner = f'x="{FRAME}" y="{FRAME}" width="{WIDTH - 2 * FRAME}" height="{HEIGHT - 2 * FRAME}"'
    water = [f'<rect {inner} fill="var(--ll-sea-1)"/>']
    for grow, depth in ((24, 2), (10, 3)):
        water += [f'<path d="{isle.coast(grow)}" fill="var(--ll-sea-{depth})"/>' for isle in isles]
    land = [f'<path class="land" d="{isle.coast()}"/>' for isle in isles]
    return (
        f'<svg class="sea-chart" viewBox="9 9 {WIDTH - 18} {HEIGHT - 18}" role="img" '
        f'aria-label="A sea chart of the Quill Isles, an invented archipelago: {count(world)}.">'
        f'<clipPath id="sea"><rect {inner}/></clipPath><g clip-path="url(#sea)">'
        + "".join([*water, *_grid(), *land, *_towns(isles, labels, dice), *_depths(isles, labels, dice)])
        + "".join(map(_name, isles))
        + "</g>"
        + _frame()
        + "</svg>"
    )


def _islands(world: World, dice: random.Random) -> list[Island]:
    towns: dict[str, list[str]] = {}
    for town in world.of_kind("town"):
        towns.setdefault(world.fact(town.id, "island").value, []).append(town.name)
    return [
        Island(
            name=entity.name,
            towns=tuple(towns.get(entity.name, ())),
            x=x, y=y, radius=radius,
            waves=tuple(((dice.random() - 0.5) * 0.8 / (k + 1.1) ** 0.84, dice.random() * math.tau) for k in range(16)),
            tilt=dice.random() * 3,
            flat=0.68 + dice.random() * 0.25,
        )
        for entity, (x, y, radius) in zip(world.of_kind("island"), PLACES, strict=False)
    ]  # fmt: skip


def _label_box(isle: Island) -> tuple[float, float, float, float]:
    x, y, size, anchor = isle.label()
    width = len(isle.name) * size * 0.53
    left = x - width / 2 if anchor == "middle" else x
    return left - 6, y - size - 1, left + width + 6, y + 7


def _free(x: float, y: float, boxes: list, placed: list, gap: float) -> bool:
    outside = all(x < a or x > c or y < b or y > d for a, b, c, d in boxes)
    return outside and all(math.hypot(px - x, py - y) > gap for px, py in placed)


def _grid() -> list[str]:
    right, bottom = WIDTH - FRAME, HEIGHT - FRAME
    across = [FRAME + k * (WIDTH - 2 * FRAME) / 6 for k in range(1, 6)]
    down = [FRAME + k * (HEIGHT - 2 * FRAME) / 5 for k in range(1, 5)]
    lines = [f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{FRAME}" y2="{bottom}"/>' for x in across]
    return lines + [f'<line class="grid" x1="{FRAME}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>' for y in down]


def _towns(isles: list[Island], labels: list, dice: random.Random) -> list[str]:
    """A dot for each town, on its island and clear of the names; the first of the first island is the capital."""
    marks, placed = [], []
    for isle in isles:
        shore = isle.outline(grow=-0.06 * isle.radius)
        for number, name in enumerate(isle.towns):
            gap = 7.0
            while True:
                angle, reach = dice.random() * math.tau, math.sqrt(dice.random()) * isle.radius
                x, y = isle.x + reach * math.cos(angle), isle.y + reach * math.sin(angle)
                if _on_land(x, y, shore) and _free(x, y, labels, placed, gap):
                    break
                gap *= 0.99  # a small island has less room: stand closer rather than give up
            placed.append((x, y))
            at = f'cx="{x:.1f}" cy="{y:.1f}"'
            if isle is isles[0] and number == 0:
                marks.append(f'<circle class="capital" {at} r="3.6"/>')
            marks.append(f'<circle class="town" {at} r="1.5"><title>{escape(name)}</title></circle>')
    return marks


def _on_land(x: float, y: float, shore: list[tuple[float, float]]) -> bool:
    """Whether the angles to the points of the shore go once around."""
    turns = [math.atan2(b - y, a - x) for a, b in shore]
    steps = zip(turns, [*turns[1:], turns[0]], strict=True)
    return abs(sum(math.remainder(after - before, math.tau) for before, after in steps)) > math.pi


def _depths(isles: list[Island], labels: list, dice: random.Random) -> list[str]:
    """Soundings, as on a real chart: the number grows with the distance to the land."""
    marks, placed = [], []
    for _ in range(260):
        x = FRAME + 8 + dice.random() * (WIDTH - 2 * FRAME - 22)
        y = FRAME + 14 + dice.random() * (HEIGHT - 2 * FRAME - 22)
        away = min(math.hypot(x + 4 - i.x, y - 3 - i.y) - i.radius * 1.16 for i in isles)
        if away < 17 or len(placed) == 46 or not _free(x, y, labels, placed, 27):
            continue
        placed.append((x, y))
        marks.append(
            f'<text class="depth" x="{x:.1f}" y="{y:.1f}">{round(5 + away * 0.8 + dice.random() * 6)}</text>'
        )
    return marks


def _name(isle: Island) -> str:
    x, y, size, anchor = isle.label()
    return (
        f'<text class="name" x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(isle.name)}</text>"
    )


def _frame() -> str:
    """The chart's border: black and white minutes between two thin lines, 30 above and below."""
    edge, right, bottom = 12, WIDTH - 12, HEIGHT - 12
    marks = []
    for x1, y1, x2, y2, minutes in (
        (edge, edge, right, edge, 30), (edge, bottom, right, bottom, 30),
        (edge, edge, edge, bottom, 22), (right, edge, right, bottom, 22),
    ):  # fmt: skip
        for k in range(0, minutes, 2):
            a, b = k / minutes, (k + 1) / minutes
            ends = x1 + (x2 - x1) * a, y1 + (y2 - y1) * a, x1 + (x2 - x1) * b, y1 + (y2 - y1) * b
            marks.append(
                '<line class="minute" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'.format(*ends)
            )
    for o in (9.5, 14.5):
        marks.append(
            f'<rect class="border" x="{o}" y="{o}" width="{WIDTH - 2 * o}" height="{HEIGHT - 2 * o}"/>'
        )
    return "".join(marks)
