#!/usr/bin/env python3
"""Writes the list of faces that `dfkit detector train` learns from: where the face is in each of a dataset's
crops, and its landmarks, as a published detector sees them.

    pip install pillow
    python detector-faces.py DATA.csv FACES.csv --weights retinaface-mobilenet0.25.pth [--dfkit dfkit] [--every 3]

Crops fit tightly around faces, which detectors are not used to. So each is put in the middle of a grey picture
twice as wide and high. A crop is listed where exactly one face is found there, with a score above 0.9 and all
landmarks in the crop. DATA.csv's other columns are kept. With --every N, one of N rows of folders that hold
videos' frames (swap/) is taken: neighbours are nearly the same picture.
"""
import argparse
import csv
import json
import os
import subprocess
import tempfile

from PIL import Image

SIDE = 320
# What the network is told is no light at all.
GREY = (123, 117, 104)


def pad(path, target):
    """Writes the padded picture; its size and the padding, in pixels of the crop."""
    picture = Image.open(path).convert("RGB")
    side = 2 * max(picture.size)
    left, top = (side - picture.width) // 2, (side - picture.height) // 2
    padded = Image.new("RGB", (side, side), GREY)
    padded.paste(picture, (left, top))
    padded.resize((SIDE, SIDE), Image.BICUBIC).save(target)
    return picture.size, side / SIDE, left, top


def face(report, size, scale, left, top):
    """The only face of a report: box, landmarks and score in pixels of the crop; None where it is not sure."""
    found = [face for face in report["faces"] if face["score"] > 0.5]
    if len(found) != 1 or found[0]["score"] < 0.9:
        return None
    x1, y1, x2, y2 = found[0]["box"]
    move = lambda x, y: (x * scale - left, y * scale - top)
    landmarks = [move(x, y) for x, y in found[0]["landmarks"]]
    if not all(0 <= x < size[0] and 0 <= y < size[1] for x, y in landmarks):
        return None
    return [*move(x1, y1), *move(x2, y2)], [c for point in landmarks for c in point], found[0]["score"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("faces")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--dfkit", default="dfkit")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    folder = os.path.dirname(os.path.abspath(options.data))
    target = os.path.dirname(os.path.abspath(options.faces))
    with open(options.data, newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [row for number, row in enumerate(rows)
            if number % options.every == 0 or "swap/" not in row["path"]]
    kept = [name for name in rows[0] if name not in ("box", "landmarks", "score")]
    words = lambda numbers: " ".join(f"{number:.2f}" for number in numbers)
    listed = 0
    with open(options.faces, "w", newline="") as file, tempfile.TemporaryDirectory() as work:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(kept + ["box", "landmarks", "score"])
        for start in range(0, len(rows), 500):
            block = rows[start:start + 500]
            facts = {}
            for number, row in enumerate(block):
                name = os.path.join(work, f"{number:04d}.png")
                facts[name] = row, pad(os.path.join(folder, row["path"]), name)
            found = json.loads(subprocess.run(
                [options.dfkit, "detect", *facts, "--detector-weights", options.weights, "--threshold", "0.3",
                 "--threads", "1", "--json"], check=True, capture_output=True).stdout)
            for report in found:
                row, (size, *place) = facts[report["file"]]
                result = face(report, size, *place)
                if result is None:
                    continue
                row["path"] = os.path.relpath(os.path.join(folder, row["path"]), target)
                box, landmarks, score = result
                writer.writerow([row[name] for name in kept] + [words(box), words(landmarks), f"{score:.4f}"])
                listed += 1
            file.flush()
    print(f"{listed} of {len(rows)} crops listed")


main()
