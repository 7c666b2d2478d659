"""Re-cuts face crops by their landmarks, so that all show a face of the same size at the same place.

    python reframe.py FACES.CSV FOLDER [--part validation]

FOLDER gets the crops and `faces.csv` with their new paths; a crop without landmarks is left out. How well a network
tells these apart does not owe anything to how tightly real and fake faces were cut. Needs numpy and Pillow.
"""
import argparse
import csv
import os

import numpy as np
from PIL import Image

# The distance from the eyes' middle to the mouth's, and the height of the point between them, as parts of the side:
# what most crops of the MesoNet data have at least, so that little has to be made up at the edges.
LENGTH, HEIGHT = 0.352, 0.505


def reframed(picture, points):
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    middle, length = (eyes + mouth) / 2, np.hypot(*(mouth - eyes))
    side = max(16, int(round(length / LENGTH)))
    left, top = int(round(middle[0] - side / 2)), int(round(middle[1] - HEIGHT * side))
    height, width = picture.shape[:2]
    down = np.clip(np.arange(top, top + side), 0, height - 1)
    across = np.clip(np.arange(left, left + side), 0, width - 1)
    return picture[down][:, across]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces")
    parser.add_argument("folder")
    parser.add_argument("--part", default="validation", help="the part, by the column split")
    arguments = parser.parse_args()
    base = os.path.dirname(os.path.realpath(arguments.faces))
    with open(arguments.faces, newline="") as file:
        samples = [s for s in csv.DictReader(file)
                   if s["split"] == arguments.part and s["landmarks"].strip()]
    os.makedirs(arguments.folder, exist_ok=True)
    with open(f"{arguments.folder}/faces.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(samples[0]), lineterminator="\n")
        writer.writeheader()
        for number, sample in enumerate(samples):
            picture = np.asarray(Image.open(os.path.join(base, sample["path"])).convert("RGB"))
            points = np.array([float(v) for v in sample["landmarks"].split()]).reshape(5, 2)
            sample["path"], sample["landmarks"] = f"{number:05}.png", ""
            Image.fromarray(reframed(picture, points)).save(
                f"{arguments.folder}/{sample['path']}", compress_level=1)
            writer.writerow(sample)


if __name__ == "__main__":
    main()
