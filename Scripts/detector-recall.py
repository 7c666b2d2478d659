#!/usr/bin/env python3
"""Faces found and missed, and false alarms, of what `dfkit detect --json` printed.

usage: detector-recall.py [--against OTHER.json] RESULT.json...

Pictures are compared with the boxes in detector-recall.csv (file, x1, y1, x2, y2), marked by eye. A face is
found where a detection overlaps its box with an intersection over union of 0.3 or more, each detection counting
once, the surest first. Of videos, every frame is taken to show one person, who has its largest face; anything
else is a false alarm.

With --against, boxes and landmarks are compared with another detector's, of faces that both found (overlap 0.3 or
more): the median intersection over union, and the median of the landmarks' mean distance in parts of the distance
between the other's eyes. Of videos, it is also counted in how many frames the other's largest face was found.
"""
import argparse
import collections
import csv
import json
import math
import os
import statistics


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
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


def read(path):
    """The reports by file and time."""
    with open(path) as file:
        return {(os.path.basename(report["file"]), report.get("time")): report["faces"] for report in json.load(file)}


def agreement(faces, others):
    """Overlaps and landmark distances of the faces that two detectors found in a picture."""
    overlaps, distances = [], []
    for face in faces:
        other = max(others, key=lambda other: overlap(other["box"], face["box"]), default=None)
        if other is None or overlap(other["box"], face["box"]) < 0.3:
            continue
        overlaps.append(overlap(other["box"], face["box"]))
        eyes = math.dist(*other["landmarks"][:2])
        if eyes > 0 and len(face["landmarks"]) == 5:
            distances.append(statistics.mean(map(math.dist, face["landmarks"], other["landmarks"])) / eyes)
    return overlaps, distances


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", nargs="+")
    parser.add_argument("--against")
    options = parser.parse_args()
    marked = truth()
    others = read(options.against) if options.against else None
    for path in options.results:
        sums = collections.defaultdict(lambda: [0, 0, 0])
        overlaps, distances = [], []
        largest = frames = 0
        for (name, time), faces in read(path).items():
            if time is not None:
                counts = (min(1, len(faces)), 1, max(0, len(faces) - 1))
            elif name in marked:
                counts = count(faces, marked[name])
            else:
                continue
            sums[name] = [a + b for a, b in zip(sums[name], counts)]
            if others:
                known = others.get((name, time), [])
                found = agreement(faces, known)
                overlaps += found[0]
                distances += found[1]
                if time is not None and known:
                    main_face = max(known, key=lambda face: area(face["box"]))
                    frames += 1
                    largest += any(overlap(main_face["box"], face["box"]) >= 0.5 for face in faces)
        print(path)
        for name, (found, all_faces, false) in sorted(sums.items()):
            print(f"  {name}: {found} of {all_faces}, {false} false alarms")
        if frames:
            print(f"  the other's largest face in {largest} of {frames} frames")
        if overlaps and distances:
            print(f"  {len(overlaps)} faces of both: IoU {statistics.median(overlaps):.3f},"
                  f" landmarks {statistics.median(distances):.3f} of the distance between the eyes")


main()
