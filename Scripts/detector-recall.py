#!/usr/bin/env python3
"""Faces found and missed, and false alarms, of what `dfkit detect --json` printed.

usage: detector-recall.py RESULT.json...

Pictures are compared with the boxes in detector-recall.csv (file, x1, y1, x2, y2), marked by eye. A face is
found where a detection overlaps its box with an intersection over union of 0.3 or more, each detection counting
once, the surest first. Of videos, every frame is taken to show one person, who has its largest face; anything
else is a false alarm.
"""
import collections
import csv
import json
import os
import sys


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


def truth():
    faces = collections.defaultdict(list)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "detector-recall.csv")
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            faces[row["file"]].append([float(row[key]) for key in ("x1", "y1", "x2", "y2")])
    return faces


def count(faces, marked):
    """Found, all, false alarms."""
    found, left = 0, list(marked)
    for face in sorted(faces, key=lambda face: -face["score"]):
        best = max(left, key=lambda box: overlap(box, face["box"]), default=None)
        if best is not None and overlap(best, face["box"]) >= 0.3:
            left.remove(best)
            found += 1
    return found, len(marked), len(faces) - found


def main():
    marked = truth()
    for path in sys.argv[1:]:
        sums = collections.defaultdict(lambda: [0, 0, 0])
        for report in json.load(open(path)):
            name = os.path.basename(report["file"])
            if report.get("time") is not None:
                counts = (min(1, len(report["faces"])), 1, max(0, len(report["faces"]) - 1))
            elif name in marked:
                counts = count(report["faces"], marked[name])
            else:
                continue
            sums[name] = [a + b for a, b in zip(sums[name], counts)]
        print(path)
        for name, (found, all_faces, false) in sorted(sums.items()):
            print(f"  {name}: {found} of {all_faces}, {false} false alarms")


main()
