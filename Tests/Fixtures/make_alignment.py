"""Writes alignment.json: singular values as NumPy, similarities as scikit-image and warps as OpenCV
compute them.

    pip install numpy scikit-image opencv-python-headless
    python make_alignment.py

Pictures are not stored: `smooth` says what one holds; noise is floor(u * 256) of formula.py's numbers.
"""
import json
import pathlib

import cv2
import numpy as np
from skimage.transform import SimilarityTransform

from formula import uniform


def numbers(array):
    return [float(f"{v:.10g}") for v in np.asarray(array, dtype=np.float64).ravel()]


def matrices():
    cases = []
    shapes = [(1, 1), (2, 2), (3, 3), (5, 3), (3, 5), (8, 8), (40, 7), (1, 6), (6, 1)]
    for i, (m, n) in enumerate(shapes):
        cases.append((uniform(f"matrix.{i}", m * n) - 0.5).reshape(m, n) * 4)
    low_rank = np.outer(uniform("left", 6), uniform("right", 4)) + np.outer(uniform("l2", 6), uniform("r2", 4))
    cases += [low_rank, np.zeros((3, 2)), np.diag([1e150, 1, 1e-150]), np.array([[0.0, 1], [-1, 0]])]
    return [
        {"rows": m.shape[0], "columns": m.shape[1], "elements": [float(v) for v in m.ravel()],
         "values": [float(v) for v in np.linalg.svd(m, compute_uv=False)]}
        for m in cases
    ]


def similarity(source, target):
    source, target = np.float32(source).astype(np.float64), np.float32(target).astype(np.float64)
    if hasattr(SimilarityTransform, "from_estimate"):
        found = SimilarityTransform.from_estimate(source, target)
    else:
        found = SimilarityTransform()
        assert found.estimate(source, target)
    return {"source": numbers(source), "target": numbers(target), "map": [float(v) for v in found.params[:2].ravel()]}


def similarities():
    cases = []
    for i in range(12):
        count = [2, 3, 5, 5, 5, 9][i % 6]
        source = uniform(f"source.{i}", count * 2).reshape(-1, 2) * [1000, 600] - [100, 0]
        u = uniform(f"turn.{i}", 4)
        angle, scale = (u[0] - 0.5) * 6.2, 0.05 + 3 * u[1]
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        target = source @ turn.T + (u[2:] - 0.5) * 500
        target += (uniform(f"noise.{i}", count * 2).reshape(-1, 2) - 0.5) * [0, 5, 80][i % 3]
        cases.append(similarity(source, target))
    # Points that a reflection would fit better, and points on a line.
    source = uniform("mirror", 10).reshape(-1, 2) * 100
    cases.append(similarity(source, source * [-1, 1.2] + [50, 3]))
    line = np.array([[0, 0], [10, 5], [20, 10], [40, 20]], float)
    cases.append(similarity(line, line[:, ::-1] * 2 + [7, 9]))
    return cases


def smooth(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 127 + 60 * np.sin(x / 5) + 60 * np.cos(y / 7)
    green = 127 + 60 * np.cos(x / 6 + y / 4) + 60 * np.sin(y / 3)
    blue = 20 + x + 1.5 * y
    return np.floor(np.clip(np.stack([red, green, blue], -1), 0, 255)).astype(np.uint8)


def bilinear(image, matrix, width, height, border):
    """The definition, in double precision."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = (inverse[i, 0] * x + inverse[i, 1] * y + inverse[i, 2] for i in range(2))
    left, top = np.floor(u), np.floor(v)
    total = np.zeros((height, width, 3))
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (1 - np.abs(u - left - dx)) * (1 - np.abs(v - top - dy))
            column, row = (left + dx).astype(int), (top + dy).astype(int)
            inside = (column >= 0) & (row >= 0) & (column < image.shape[1]) & (row < image.shape[0])
            if border == "replicate":
                inside[:] = True
            pixel = image[np.clip(row, 0, image.shape[0] - 1), np.clip(column, 0, image.shape[1] - 1)]
            total += np.where(inside[..., None], weight[..., None] * pixel, 0)
    return np.floor(total + 0.5).astype(np.uint8)


def turn(scale, degrees, x, y):
    angle = np.deg2rad(degrees)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, x], [b, a, y]])


def warps():
    cases = []
    maps = [
        turn(1, 0, 0, 0), turn(1, 0, 3.5, -2.25), turn(1.7, 20, 5, -9), turn(0.8, -35, 4, 20), turn(3, 90, 60, -40),
        np.array([[1.2, 0.3, -5], [-0.1, 0.9, 4]]), np.array([[-1.0, 0, 40], [0, 1, 0]]),
        turn(1.5, 10, -12, -9),  # wholly inside
    ]
    for i, matrix in enumerate(maps):
        for border, flag in (("black", cv2.BORDER_CONSTANT), ("replicate", cv2.BORDER_REPLICATE)):
            if border == "replicate" and i % 2 == 0:
                continue
            noise = np.floor(uniform(f"warp.{i}", 29 * 37 * 3) * 256).astype(np.uint8).reshape(29, 37, 3)
            peer = cv2.warpAffine(smooth(47, 33), matrix, (24, 18), flags=cv2.INTER_LINEAR, borderMode=flag)
            cases.append({
                "map": [float(v) for v in matrix.ravel()], "border": border, "noise": f"warp.{i}",
                "definition": bilinear(noise, matrix, 17, 13, border).ravel().tolist(),
                "opencv": peer.ravel().tolist(),
            })
    return cases


folder = pathlib.Path(__file__).parent
golden = {"matrices": matrices(), "similarities": similarities(), "warps": warps()}
(folder / "alignment.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
