"""Makes clips in which only the order of the frames tells real from fake: a test of what a network over frames can learn.

    python make-order-clips.py FOLDER [--clips 1600] [--frames 8] [--seed 1]

In a real clip a disc grows and shrinks smoothly; a fake has the same frames of another such clip in random order. So any
score that is a mean over single frames is at chance. Every fourth clip is for validation. Needs numpy and Pillow.
"""
import argparse
import csv
import math
import os

import numpy as np
from PIL import Image, ImageDraw

SIZE = 64


def frame(radius, colours, noise):
    picture = Image.new("RGB", (SIZE, SIZE), colours[0])
    box = [SIZE / 2 - radius, SIZE / 2 - radius, SIZE / 2 + radius, SIZE / 2 + radius]
    ImageDraw.Draw(picture).ellipse(box, fill=colours[1])
    pixels = np.asarray(picture, dtype=np.float32) + noise.normal(0, 6, (SIZE, SIZE, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--clips", type=int, default=1600)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    os.makedirs(options.folder, exist_ok=True)
    rows = []
    for clip in range(options.clips):
        label = "REAL" if clip % 2 == 0 else "FAKE"
        order = list(range(options.frames))
        while label == "FAKE" and order == sorted(order):
            generator.shuffle(order)
        phase = generator.uniform(0, 2 * math.pi)
        colours = [tuple(int(v) for v in generator.integers(30, 226, 3)) for _ in range(2)]
        for place, moment in enumerate(order):
            radius = 16 + 10 * math.sin(phase + moment * 2 * math.pi / 10)
            name = f"clip{clip:04}-{place}.png"
            frame(radius, colours, generator).save(os.path.join(options.folder, name))
            rows.append({"path": name, "label": label, "video": f"clip{clip:04}", "time": place * 0.04,
                         "split": "validation" if clip // 2 % 4 == 3 else "train"})
    with open(os.path.join(options.folder, "manifest.csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
