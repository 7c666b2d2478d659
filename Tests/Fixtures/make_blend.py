"""Writes blend.json: Gaussian blur and convex hulls by SciPy, and a polygon filled point by point.

    pip install numpy scipy
    python make_blend.py
"""
import json
import pathlib

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from formula import uniform

WIDTH, HEIGHT = 23, 17


def numbers(array):
    return [round(float(v), 6) for v in np.asarray(array).ravel()]


values = uniform("blend", WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
blurred = []
for sigma in (0.4, 1.5, 9.0):
    radius = int(np.ceil(3 * sigma))
    result = gaussian_filter(values, sigma, mode="mirror", radius=radius)
    blurred.append({"sigma": sigma, "values": numbers(result)})

hulls = []
for count in (3, 9, 60):
    points = np.round(uniform(f"hull {count}", 2 * count).reshape(count, 2) * 100, 3)
    hulls.append({"points": numbers(points), "hull": numbers(points[ConvexHull(points).vertices])})


def inside(polygon, x, y):
    """The even-odd rule."""
    result = np.zeros(np.broadcast(x, y).shape, bool)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0)):
        if ay == by:
            continue
        crosses = (ay <= y) != (by <= y)
        result ^= crosses & (x < ax + (y - ay) / (by - ay) * (bx - ax))
    return result


# A star that reaches beyond the map and overlaps itself; four lines a row, as the kernel has them.
angles = np.arange(5) * 4 * np.pi / 5 + 0.3
star = np.round(np.stack([11 + 14 * np.sin(angles), 8 - 9 * np.cos(angles)], -1), 3)
fine = 200
x = (np.arange(WIDTH * fine) + 0.5) / fine - 0.5
y = (np.arange(HEIGHT * 4) + 0.5) / 4 - 0.5
filled = inside(star, x[None, :], y[:, None]).reshape(HEIGHT, 4, WIDTH, fine).mean((1, 3))

path = pathlib.Path(__file__).with_name("blend.json")
path.write_text(json.dumps({
    "width": WIDTH, "height": HEIGHT, "blurred": blurred, "hulls": hulls,
    "polygon": numbers(star), "filled": numbers(filled),
}) + "\n")
