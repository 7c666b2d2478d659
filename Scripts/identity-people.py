"""Writes the manifest that the shipped look-alike embedder was trained on: faces.csv's rows with the columns
person and split added.

    python identity-people.py faces.csv people.csv

faces.csv lists, with columns path, label and origin, 4,000 faces of UTKFace and 600 of FFHQ (single/...), one a
person as a rule, and MesoNet's training set (swap/real, swap/fake), frames of videos next to each other. The paths
in people.csv are those of faces.csv; keep them in one folder, or give a third argument, which goes before each path.
"""
import csv
import sys
import zlib

# Runs of files of swap/real (numbers of files, both ends included) that show one face each, read off contact
# sheets; a number twice is one face in two places. Faces in many videos: 2, 37 (trained on), 38, 39 (held out).
PEOPLE = [
    (1, 0, 48), (2, 60, 507), (3, 519, 567), (4, 579, 615), (5, 627, 663), (6, 675, 723),
    (6, 1611, 1647), (7, 735, 771), (8, 1263, 1299), (9, 1311, 1347), (10, 1359, 1407),
    (11, 1419, 1455), (12, 1515, 1551), (13, 1563, 1599), (14, 1671, 1695), (15, 1767, 1791),
    (16, 1815, 1839), (17, 1959, 1983), (18, 2319, 2343), (19, 2379, 2391), (20, 2547, 2583),
    (21, 2895, 2907), (22, 3519, 3567), (22, 6736, 6760), (23, 3627, 3663), (24, 3675, 3687),
    (25, 3699, 3711), (26, 3735, 3759), (27, 3771, 3807), (28, 4011, 4059), (29, 4071, 4107),
    (30, 4743, 4779), (31, 4791, 4827), (32, 4839, 4875), (33, 4899, 4935), (34, 5139, 5163),
    (35, 6436, 6508), (36, 6532, 6568), (37, 6916, 7228), (38, 783, 1203), (39, 5295, 5895),
]
# Runs of files that are held out, besides every fifth of single; the 50 files on either side are left out.
HELD_OUT = {
    "real": [(778, 1206), (5288, 5902), (2000, 2250), (3250, 3500), (4440, 4690)],
    "fake": [(1000, 1250), (2250, 2500), (3500, 3750), (4750, 5000)],
}
MARGIN = 50
# Pictures of single that are held out and show the same picture, or the same person, as another one: found as the
# most alike of the evaluation, and left out of it.
TWINS = {
    f"single/utk/{number:05d}.jpg" for number in [
        3592, 1848, 3644, 1085, 524, 1766, 906, 2941, 589, 1554, 760, 2550, 1546,
        2864]
}


def facts(path):
    """Person and split of a picture."""
    kind, folder, name = path.split("/")[-3:]
    if kind == "single":
        held_out = zlib.crc32(path.encode()) % 5 == 0
        return path, "train" if not held_out else "test" if path in TWINS else "validation"
    number = int("".join(c for c in name if c.isdigit()))
    person = next(
        (f"real {p}" for p, a, b in PEOPLE if folder == "real" and a <= number <= b), "")
    for a, b in HELD_OUT[folder]:
        if a <= number <= b:
            return person, "validation"
        if a - MARGIN <= number <= b + MARGIN and not person:
            return "", "test"
    return person, "train"


def main():
    prefix = sys.argv[3] if len(sys.argv) > 3 else ""
    with open(sys.argv[1], newline="") as source, open(sys.argv[2], "w", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(["path", "label", "origin", "person", "split"])
        for row in csv.DictReader(source):
            person, split = facts(row["path"])
            writer.writerow([prefix + row["path"], row["label"], row["origin"], person, split])


if __name__ == "__main__":
    main()
