"""Straight-line fits and the pictures of Scripts/growth: two panels, time and memory, as SVG."""
import math
from html import escape

BLUE, ORANGE, QUIET, GRID = "#0072B2", "#D55E00", "#666666", "#E4E4E4"
FLAT = 0.15
WIDTH, LEFT, RIGHT, PANEL = 820, 70, 796, 200


class Line:
    """The line of least squares through points, and the part of their variance that it explains."""

    def __init__(self, points):
        count = len(points)
        mean_x = sum(x for x, _ in points) / count
        mean_y = sum(y for _, y in points) / count
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        self.slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        self.start = mean_y - self.slope * mean_x
        self.first, self.last = min(x for x, _ in points), max(x for x, _ in points)
        self.least, self.most = min(y for _, y in points), max(y for _, y in points)
        whole = sum((y - mean_y) ** 2 for _, y in points)
        rest = sum((y - self.at(x)) ** 2 for x, y in points)
        self.r2 = 1 - rest / whole if whole > 0 else 1.0

    def at(self, x):
        return self.start + self.slope * x

    def is_flat(self):
        """Whether the line rises or falls by so little that the rest is chance, which R² says nothing of."""
        return abs(self.slope) * (self.last - self.first) < FLAT * self.most

    def text(self, unit):
        if self.is_flat():
            return f"flat: {digits(self.least)} to {digits(self.most)} {unit}"
        sign = "-" if self.slope < 0 else "+"
        return f"{digits(self.start)} {sign} {digits(abs(self.slope))} {unit} each"

    def explained(self):
        return "" if self.is_flat() else f"{self.r2:.4f}"


def fit(points):
    return Line(points)


def digits(value):
    """Three digits that count, without powers of ten."""
    if value == 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def ticks(high, count, whole=False):
    """Round numbers, or whole ones, from 0 to at least `high`."""
    rough = max(1, high / count) if whole else high / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [step * number for number in range(math.ceil(high / step - 1e-9) + 1)]


def text(x, y, content, size=11, anchor="start", color="#111111", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{color}" font-weight="{weight}">{escape(content)}</text>')


def panel(title, unit, points, color, top, x_ticks, axis):
    line = fit(points)
    y_ticks = ticks(max(max(y for _, y in points), line.at(x_ticks[-1])), 4)

    def place(x, y):
        return (LEFT + (RIGHT - LEFT) * x / x_ticks[-1], top + PANEL * (1 - y / y_ticks[-1]))

    caption = line.text(unit) + (f", R² = {line.r2:.4f}" if line.explained() else "")
    parts = [text(16, top - 12, title, 13, weight="bold"),
             text(RIGHT, top - 12, caption, 12, "end", color)]
    for tick in y_ticks:
        _, y = place(0, tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(text(LEFT - 8, y + 4, f"{tick:g}", 11, "end", QUIET))
    for tick in x_ticks:
        x, y = place(tick, 0)
        parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{y + 4:.1f}" '
                     'stroke="#888888"/>')
        if axis:
            parts.append(text(x, y + 18, f"{tick:g}", 11, "middle", QUIET))
    if axis:
        parts.append(text((LEFT + RIGHT) / 2, top + PANEL + 40, axis, 12, "middle"))
    (x1, y1), (x2, y2) = place(0, line.start), place(x_ticks[-1], line.at(x_ticks[-1]))
    parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                 f'stroke="{color}" stroke-width="1.5" stroke-dasharray="7 4"/>')
    for x, y in points:
        cx, cy = place(x, y)
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4" fill="{color}"/>')
    return parts


def draw(title, axis, points):
    """The picture of points with `x`, `seconds` and `megabytes`."""
    x_ticks = ticks(max(point["x"] for point in points), 10,
                    all(isinstance(point["x"], int) for point in points))
    height = 2 * PANEL + 190
    parts = [text(16, 30, title, 17, weight="bold")]
    parts += panel("time, s", "s", [(point["x"], point["seconds"]) for point in points], BLUE, 76,
                   x_ticks, None)
    parts += panel("most memory in RAM, MB", "MB",
                   [(point["x"], point["megabytes"]) for point in points], ORANGE,
                   76 + PANEL + 56, x_ticks, axis)
    body = "\n  ".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" \
viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif">
  <rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
  {body}
</svg>
"""
