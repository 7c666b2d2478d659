#!/usr/bin/env python3
"""Writes the list of faces that `dfkit detector train` learns from: where the face is in each of a dataset's
crops, and its landmarks, as detectors that were trained on marked photographs see them (the teachers).

    pip install pillow
    python detector-faces.py DATA.csv FACES.csv --teacher retinaface-mobilenet0.25.onnx --teacher mtcnn/

Crops fit tightly around faces, which detectors are not used to. So each is put in the middle of a grey picture
twice as wide and high. A teacher is sure of a crop where it finds exactly one face there, with a score above 0.9 and
all landmarks in the crop. A crop is listed with the face of the first teacher that is sure of it, unless a later one
is sure of another place (intersection over union below 0.5). DATA.csv's other columns are kept.

With --every N, one of N rows of folders that hold videos' frames (swap/) is taken: neighbours are nearly the same
picture.
"""
import argparse
import collections
import csv
import json
import os
import subprocess
import tempfile

from PIL import Image

SIDE = 320
# What the network is told is no light at all.
GREY = (123, 117, 104)
BLOCK = 500


def pad(path, target):
    """Writes the padded picture; its size and the padding, in pixels of the crop."""
    picture = Image.open(path).convert("RGB")
    side = 2 * max(picture.size)
    left, top = (side - picture.width) // 2, (side - picture.height) // 2
    padded = Image.new("RGB", (side, side), GREY)
    padded.paste(picture, (left, top))
    padded.resize((SIDE, SIDE), Image.BICUBIC).save(target, compress_level=1)
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


def overlap(one, other):
    """The intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return shared / (area(one) + area(other) - shared)


def detect(dfkit, weights, kind, names):
    """What a detector says of pictures, by file."""
    found = json.loads(subprocess.run(
        [dfkit, "detect", *names, "--detector", kind, "--detector-weights", weights, "--threshold",
         "0.3" if kind == "retinaface" else "0.7", "--threads", "1", "--json"],
        check=True, capture_output=True).stdout)
    return {report["file"]: report for report in found}


def agreed(faces):
    """The face of the first teacher that is sure, or None; and why."""
    sure = [(number, face) for number, face in enumerate(faces) if face is not None]
    if not sure:
        return None, "no teacher is sure"
    first, chosen = sure[0]
    if any(overlap(chosen[0], other[0]) < 0.5 for _, other in sure[1:]):
        return None, "the teachers disagree"
    return chosen, f"from teacher {first + 1}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("faces")
    parser.add_argument("--teacher", action="append", required=True, metavar="WEIGHTS",
                        help="a RetinaFace's file or MTCNN's folder; may be given several times")
    parser.add_argument("--dfkit", default="dfkit")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    kinds = ["mtcnn" if os.path.isdir(weights) else "retinaface" for weights in options.teacher]
    folder = os.path.dirname(os.path.abspath(options.data))
    target = os.path.dirname(os.path.abspath(options.faces))
    with open(options.data, newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [row for number, row in enumerate(rows)
            if number % options.every == 0 or "swap/" not in row["path"]]
    kept = [name for name in rows[0] if name not in ("box", "landmarks", "score")]
    words = lambda numbers: " ".join(f"{number:.2f}" for number in numbers)
    reasons = collections.Counter()
    with open(options.faces, "w", newline="") as file, tempfile.TemporaryDirectory() as work:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(kept + ["box", "landmarks", "score"])
        for start in range(0, len(rows), BLOCK):
            facts = {}
            for number, row in enumerate(rows[start:start + BLOCK]):
                name = os.path.join(work, f"{number:04d}.png")
                facts[name] = row, pad(os.path.join(folder, row["path"]), name)
            seen = [detect(options.dfkit, weights, kind, list(facts))
                    for weights, kind in zip(options.teacher, kinds)]
            for name, (row, (size, *place)) in facts.items():
                result, reason = agreed([face(report[name], size, *place) for report in seen])
                reasons[reason] += 1
                if result is None:
                    continue
                row["path"] = os.path.relpath(os.path.join(folder, row["path"]), target)
                box, landmarks, score = result
                writer.writerow([row[name] for name in kept] + [words(box), words(landmarks), f"{score:.4f}"])
            file.flush()
    print(f"{len(rows)} crops: " + ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())))


main()
