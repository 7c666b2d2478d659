#!/usr/bin/env python3
"""Writes Examples/sample.mp4: a rendered head that turns, blinks and talks, four seconds long.

The head is nobody's: a parametric surface with painted skin, eyes, lips and hair, all of it below. It shows a face that
detectors find, so that dfkit can be tried without any footage; it is neither a real person's video nor a deepfake.

    pip install numpy pillow
    Scripts/make-sample-video.py [--output Examples/sample.mp4] [--still FRAME picture.png]

Needs the program ffmpeg with libx264.
"""
import argparse
import pathlib
import subprocess

import numpy as np
from PIL import Image

WIDTH, HEIGHT, RATE, FRAMES = 480, 360, 25, 100
SCALE = 2  # pixels drawn for a pixel of the video, along a side
LIGHT = np.array([-0.45, 0.55, 0.75]) / np.linalg.norm([-0.45, 0.55, 0.75])
FILL = np.array([0.8, 0.1, 0.5]) / np.linalg.norm([0.8, 0.1, 0.5])
SKIN = np.array([0.80, 0.56, 0.45])
HAIR = np.array([0.115, 0.075, 0.05])
rng = np.random.default_rng(7)


def bump(x, y, cx, cy, sx, sy):
    return np.exp(-((x - cx) / sx) ** 2 - ((y - cy) / sy) ** 2)


def pair(x, y, cx, cy, sx, sy):
    return bump(x, y, cx, cy, sx, sy) + bump(x, y, -cx, cy, sx, sy)


def step(edge0, edge1, x):
    t = np.clip((x - edge0) / (edge1 - edge0), 0, 1)
    return t * t * (3 - 2 * t)


def smooth_noise(shape, cells):
    """Noise between -1 and 1 that varies over a grid of `cells`."""
    coarse = rng.uniform(-1, 1, cells).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.BICUBIC))


class Head:
    """The surface, as points over height and angle; x to the right of the picture, y up, z to the viewer."""

    def __init__(self):
        rows, columns = 1000, 900
        self.y, self.angle = np.meshgrid(
            np.linspace(-1.13, 1.19, rows), np.linspace(-2.1, 2.1, columns), indexing="ij")
        self.pores = rng.normal(0, 1, self.y.shape)
        self.blotches = smooth_noise(self.y.shape, (9, 11))
        strands = smooth_noise(self.y.shape, (14, 260))
        self.strands = strands + 0.6 * rng.normal(0, 1, self.y.shape)
        self.brow_hair = smooth_noise(self.y.shape, (160, 180))

    def at(self, opening, smile):
        y, angle = self.y, self.angle
        up = np.clip((y - 0.2) / 1.0, 0, 0.9999)
        down = np.clip((0.2 - y) / 1.34, 0, 0.9999)
        width = np.where(y > 0.2, 0.80 * np.sqrt(1 - up**2.3),
                         0.80 * (1 - 0.36 * down**1.9) * np.sqrt(1 - down**9))
        depth = np.where(y > 0.2, 0.95 * np.sqrt(1 - up**2.3),
                         0.95 * (1 - 0.14 * down**1.5) * np.sqrt(1 - down**9))
        x = width * np.sin(angle)
        # Faces are flatter in front than an ellipse.
        z = depth * np.cos(angle) * (1 + 0.22 * np.sin(angle) ** 2)
        front = step(0.0, 0.5, z)
        jaw = -0.10 * opening * step(-0.45, -0.8, y)
        mouth = -0.56 - 0.04 * opening
        dz = -0.075 * pair(x, y, 0.31, 0.13, 0.17, 0.10)
        dz += 0.045 * pair(x, y, 0.31, 0.115, 0.12, 0.075)
        dz += 0.045 * pair(x, y, 0.28, 0.32, 0.24, 0.07)
        ridge = 0.06 + 0.20 * step(0.22, -0.2, y)
        dz += ridge * np.exp(-(x / (0.075 + 0.035 * step(0.1, -0.2, y))) ** 2) * (
            step(0.36, 0.1, y) * step(-0.34, -0.22, y))
        dz += 0.085 * pair(x, y, 0.105, -0.235, 0.06, 0.06)
        dz += 0.045 * pair(x, y, 0.43, -0.16, 0.20, 0.17)
        dz += 0.055 * bump(x, y, 0, -0.56, 0.30, 0.17)
        dz += 0.035 * bump(x, y, 0, mouth + 0.05, 0.19, 0.035)
        dz += 0.045 * bump(x, y, 0, mouth - 0.065, 0.17, 0.045)
        dz -= 0.035 * bump(x, y, 0, mouth, 0.22, 0.016)
        dz -= 0.030 * bump(x, y, 0, -0.75, 0.16, 0.05)
        dz += 0.070 * bump(x, y, 0, -0.93, 0.20, 0.11)
        line = self.hairline(x)
        self.is_hair = np.clip(step(line - 0.02, line + 0.05, y + 0.015 * self.strands)
                               + step(1.33, 1.47, np.abs(angle) + 0.02 * self.strands)
                               * step(-0.25, -0.1, y), 0, 1)
        grow = 1 + self.is_hair * (0.075 + 0.012 * self.strands)
        return np.stack([x * grow, y + jaw * front + 0.05 * self.is_hair * step(0.5, 1.0, y),
                         (z + dz * front) * grow], -1), x, y, mouth

    @staticmethod
    def hairline(x):
        return 0.74 - 0.34 * np.abs(x / 0.74) ** 3.2 + 0.03 * np.cos(9 * x + 0.6)

    def paint(self, x, y, mouth, opening, lids, gaze):
        """Colours of the points, and how much they shine."""
        color = SKIN * (1 + 0.045 * self.blotches + 0.022 * self.pores)[..., None]
        shine = np.full(x.shape, 0.16)

        def lay(part, tone, gloss=None):
            nonlocal color, shine
            part = np.clip(part, 0, 1)
            color = color * (1 - part[..., None]) + np.asarray(tone) * part[..., None]
            if gloss is not None:
                shine = shine * (1 - part) + gloss * part

        def shade(part, factor):
            nonlocal color
            color = color * (1 + (np.asarray(factor) - 1) * np.clip(part, 0, 1)[..., None])

        shade(pair(x, y, 0.45, -0.2, 0.2, 0.17), [1.04, 0.86, 0.84])
        shade(bump(x, y, 0, -0.2, 0.12, 0.1), [1.03, 0.88, 0.86])
        shade(pair(x, y, 0.30, 0.01, 0.16, 0.05), [0.88, 0.84, 0.86])
        shade(pair(x, y, 0.24, 0.15, 0.07, 0.1), [0.80, 0.76, 0.76])
        shade(pair(x, y, 0.31, 0.215, 0.15, 0.035), [0.82, 0.77, 0.76])
        shade(bump(x, y, 0, -0.345, 0.13, 0.04), [0.66, 0.60, 0.58])
        # From the wings of the nose to the corners of the mouth.
        fold = np.abs(np.abs(x) - (0.16 + 0.30 * np.clip(-0.25 - y, 0, 0.35)))
        shade(np.exp(-(fold / 0.03) ** 2) * step(-0.2, -0.32, y) * step(-0.6, -0.42, y), [0.86, 0.8, 0.79])
        shade(step(-0.45, -0.8, y) * (0.5 + 0.5 * self.pores), [0.94, 0.95, 0.97])
        # Lips; between them the mouth.
        across = np.clip(np.abs(x) / 0.215, 0, 1)
        bow = 0.070 * (1 - across**2.2) * (1 - 0.22 * np.exp(-(x / 0.035) ** 2))
        below = 0.095 * (1 - across**2.4)
        gap = 0.065 * opening * (1 - across**2)
        lips = step(-0.006, 0.010, mouth + gap * 0.4 + bow - y) * step(-0.006, 0.010, y - (mouth - gap - below))
        lips *= step(1.0, 0.93, across)
        lay(lips, np.array([0.56, 0.24, 0.235]), 0.34)
        shade(lips * bump(x, y, 0, mouth - gap - 0.05, 0.1, 0.02), [1.2, 1.22, 1.22])
        inside = step(-0.004, 0.008, mouth + gap * 0.4 - y) * step(-0.004, 0.008, y - (mouth - gap))
        inside *= step(0.95, 0.8, across)
        lay(inside * step(0.02, 0.3, np.full(x.shape, opening)), [0.10, 0.035, 0.035], 0.1)
        lay(inside * step(mouth - 0.022, mouth - 0.012, y) * step(0.25, 0.5, np.full(x.shape, opening))
            * step(0.8, 0.55, across), [0.80, 0.77, 0.71], 0.4)
        lay(np.exp(-((y - mouth) / 0.009) ** 2) * step(1.04, 0.9, np.abs(x) / 0.215) * (1 - min(1, 3 * opening)),
            [0.22, 0.075, 0.075])
        for side in (-1, 1):
            lay(bump(x, y, side * 0.072, -0.288, 0.032, 0.018) * 1.6, [0.16, 0.07, 0.06], 0.02)
            self.paint_eye(lay, shade, x - side * 0.31, y - 0.115, side, lids, gaze)
            # Brows: thicker at the nose.
            dx = side * x - 0.31
            arch = 0.315 + 0.045 * np.cos(2.8 * (dx - 0.04)) - 0.03
            thick = 0.042 - 0.055 * np.clip(dx, -0.15, 0.3)
            brow = np.exp(-((y - arch) / np.clip(thick, 0.012, 1)) ** 4) * step(-0.21, -0.15, dx) * step(0.26, 0.16, dx)
            lay(brow * (0.86 + 0.2 * self.brow_hair), HAIR * 1.1, 0.05)
        hair = self.is_hair
        lay(hair, HAIR)
        color = color * (1 + hair * 0.28 * np.clip(self.strands, -1.6, 1.6))[..., None]
        band = np.exp(-((y - 0.98) / 0.13) ** 2)
        shine = shine * (1 - hair) + hair * (0.10 + 0.5 * band * np.clip(0.4 + 0.5 * self.strands, 0, 1))
        return np.clip(color, 0, 1), shine

    @staticmethod
    def paint_eye(lay, shade, dx, dy, side, lids, gaze):
        along = np.clip(np.abs(dx) / 0.135, 0, 1)
        tilt = 0.012 * side * dx / 0.135
        upper = 0.066 * (1 - along**2.1) * lids - 0.030 * (1 - lids) + tilt
        lower = -0.042 * (1 - along**2.2) + tilt
        open_eye = step(-0.005, 0.006, upper - dy) * step(-0.005, 0.006, dy - lower) * step(1, 0.97, along)
        lay(open_eye, [0.80, 0.775, 0.755], 0.5)
        shade(open_eye * step(0.3, 1.0, along), [0.72, 0.66, 0.66])
        shade(open_eye * step(0.03, 0.0, upper - dy), [0.55, 0.52, 0.52])
        ix, iy = dx - gaze, dy - 0.012
        r = np.hypot(ix, iy)
        iris = step(0.064, 0.057, r) * open_eye
        lay(iris, [0.20, 0.26, 0.27], 0.5)
        shade(iris * step(0.040, 0.060, r), [0.35, 0.35, 0.35])
        lay(step(0.030, 0.025, r) * open_eye, [0.015, 0.015, 0.018], 0.5)
        lay(step(0.015, 0.009, np.hypot(ix + 0.020, iy - 0.022)) * open_eye, [1.0, 1.0, 1.0])
        # Lashes, the crease of the lid, the line below.
        lid = np.exp(-((dy - upper - 0.006) / 0.011) ** 2) * step(1.06, 0.9, np.abs(dx) / 0.135)
        lay(0.92 * lid, [0.07, 0.04, 0.035], 0.02)
        crease = 0.095 * (1 - 0.7 * along**2)
        shade(np.exp(-((dy - crease) / 0.010) ** 2) * step(1.1, 0.8, np.abs(dx) / 0.135), [0.66, 0.58, 0.57])
        shade(np.exp(-((dy - lower + 0.008) / 0.010) ** 2) * step(1.0, 0.8, along), [0.72, 0.60, 0.58])


def ellipsoid(center, radii, rows, columns):
    v, u = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, rows), np.linspace(-np.pi, np.pi, columns), indexing="ij")
    return np.stack([center[0] + radii[0] * np.cos(v) * np.sin(u), center[1] + radii[1] * np.sin(v),
                     center[2] + radii[2] * np.cos(v) * np.cos(u)], -1)


def normals(points):
    n = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    return n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)


def turn(points, yaw, pitch, roll, pivot):
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    matrix = (np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
              @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]))
    return (points - pivot) @ matrix.T + pivot


def lit(points, color, shine):
    n = normals(points)
    key = np.clip((n @ LIGHT + 0.22) / 1.22, 0, 1)
    half = LIGHT + np.array([0, 0, 1.0])
    gloss = np.clip(n @ (half / np.linalg.norm(half)), 0, 1) ** 24
    warm = np.array([1.0, 0.97, 0.92]) * key[..., None] * 0.92
    cool = np.array([0.62, 0.72, 0.85]) * np.clip(n @ FILL, 0, 1)[..., None] * 0.26
    sky = 0.17 + 0.07 * n[..., 1:2]
    return color * (warm + cool + sky) + (shine * gloss * 0.55)[..., None]


def draw(canvas, points, color, place, size):
    """Points into the canvas, the nearer over the farther."""
    distance = 9.0
    near = distance / (distance - points[..., 2])
    px = np.rint(place[0] * SCALE + points[..., 0] * near * size * SCALE).astype(int).ravel()
    py = np.rint(place[1] * SCALE - points[..., 1] * near * size * SCALE).astype(int).ravel()
    facing = (normals(points)[..., 2] > -0.02).ravel()
    inside = facing & (px >= 0) & (px < WIDTH * SCALE) & (py >= 0) & (py < HEIGHT * SCALE)
    order = np.flatnonzero(inside)
    order = order[np.argsort(points[..., 2].ravel()[order], kind="stable")]
    canvas[py[order], px[order]] = color.reshape(-1, 3)[order]


def background():
    y, x = np.mgrid[0:HEIGHT * SCALE, 0:WIDTH * SCALE]
    x, y = x / (WIDTH * SCALE), y / (HEIGHT * SCALE)
    wall = np.array([0.30, 0.36, 0.38]) * (1.12 - 0.45 * np.hypot(x - 0.25, y - 0.15))[..., None]
    wall += 0.012 * smooth_noise(x.shape, (20, 30))[..., None]
    # A picture frame and a lamp's glow, out of focus.
    frame = step(0.70, 0.73, x) * step(0.97, 0.94, x) * step(0.08, 0.12, y) * step(0.50, 0.46, y)
    wall = wall * (1 - 0.45 * frame[..., None]) + np.array([0.30, 0.22, 0.13]) * 0.35 * frame[..., None]
    wall += np.array([0.30, 0.22, 0.12]) * np.exp(-((x - 0.05) / 0.12) ** 2 - ((y - 0.3) / 0.2) ** 2)[..., None]
    return wall


def motion(frame):
    """Where the head is and what it does, by time."""
    t = frame / RATE
    blink = sum(np.exp(-((t - moment) / 0.07) ** 2) for moment in (0.9, 2.35, 3.5))
    talk = max(0.0, np.sin(9.5 * t) * 0.55 + np.sin(15.1 * t + 1) * 0.35 + 0.18)
    talk *= float(step(0.35, 0.6, t) * step(3.7, 3.4, t))
    return {
        "yaw": 0.40 * np.sin(2 * np.pi * t / 4.0), "pitch": 0.07 * np.sin(2 * np.pi * t / 2.3 + 0.5),
        "roll": 0.06 * np.sin(2 * np.pi * t / 3.1), "lids": 1 - min(1, blink), "opening": min(1, talk),
        "gaze": 0.022 * np.sin(2 * np.pi * t / 2.9),
        "place": (WIDTH / 2 - 8 + 14 * np.sin(2 * np.pi * t / 3.7), 148 + 4 * np.sin(2 * np.pi * t / 1.9)),
    }


def render(head, wall, frame):
    m = motion(frame)
    canvas = wall.copy()
    pivot = np.array([0, -0.9, -0.2])
    size = 88
    body = ellipsoid((0, -2.75, -0.35), (1.75, 1.22, 0.72), 700, 1000)
    cloth = np.array([0.10, 0.14, 0.22]) * (1 + 0.10 * smooth_noise(body.shape[:2], (50, 260)))[..., None]
    neck = ellipsoid((0, -1.25, -0.22), (0.47, 0.85, 0.50), 700, 900)
    throat = SKIN * (0.42 + 0.40 * step(-1.05, -1.6, neck[..., 1]))[..., None]
    draw(canvas, body, lit(body, cloth, np.full(body.shape[:2], 0.02)), m["place"], size)
    draw(canvas, neck, lit(neck, throat, np.full(neck.shape[:2], 0.05)), m["place"], size)
    angles = (m["yaw"], m["pitch"], m["roll"], pivot)
    points, x, y, mouth = head.at(m["opening"], 0)
    color, shine = head.paint(x, y, mouth, m["opening"], m["lids"], m["gaze"])
    # All of the head in one go, so that the nearer of ear and cheek is seen.
    turned = [turn(points, *angles)]
    colors = [lit(turned[0], color, shine)]
    for side in (-1, 1):
        ear = ellipsoid((side * 0.83, 0.0, -0.05), (0.07, 0.22, 0.14), 300, 300)
        rim = np.hypot(ear[..., 1] / 0.22, (ear[..., 2] + 0.05) / 0.14)
        tone = SKIN * np.array([0.98, 0.80, 0.76]) * (0.62 + 0.38 * step(0.5, 0.8, rim))[..., None]
        turned.append(turn(ear, *angles))
        colors.append(lit(turned[-1], tone, np.full(ear.shape[:2], 0.1)))
    for points, color in sorted(zip(turned, colors), key=lambda item: item[0][..., 2].max()):
        draw(canvas, points, color, m["place"], size)
    linear = np.clip(canvas, 0, 1).reshape(HEIGHT, SCALE, WIDTH, SCALE, 3).mean((1, 3))
    picture = 255 * linear ** (1 / 1.9)
    picture += np.random.default_rng(frame).normal(0, 1.6, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description="Writes the sample video.")
    parser.add_argument("--output", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent.parent / "Examples" / "sample.mp4")
    parser.add_argument("--still", nargs=2, metavar=("FRAME", "PNG"), help="write one frame as a picture instead")
    arguments = parser.parse_args()
    head, wall = Head(), background()
    if arguments.still:
        Image.fromarray(render(head, wall, int(arguments.still[0]))).save(arguments.still[1])
        return
    encoder = subprocess.Popen(
        ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
         "-r", str(RATE), "-i", "-", "-c:v", "libx264", "-preset", "slow", "-crf", "23", "-pix_fmt", "yuv420p",
         "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart",
         str(arguments.output)], stdin=subprocess.PIPE)
    for frame in range(FRAMES):
        encoder.stdin.write(render(head, wall, frame).tobytes())
    encoder.stdin.close()
    raise SystemExit(encoder.wait())


if __name__ == "__main__":
    main()
