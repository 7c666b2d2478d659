"""What the order of frames is worth: networks that see it beside the mean over single frames.

    python sequences.py DFKIT FOLDER --data DATA.csv [--lstm WEIGHTS] [--difference IMAGENET] [--seeds 1,2,3]

DATA.csv comes from `dfkit split`: the columns split, and video or group. Only videos or groups with at least --shortest
crops of a label are used, since order means nothing in fewer.

--lstm: an LSTM over the features of WEIGHTS, beside the mean of their scores. WEIGHTS are a network of single frames, which
must not have learned from the validation part: a file, or the name of weights that ship.
--difference: networks that start from IMAGENET, with and without the difference to the next crop as a further channel. It
compares crops whose files are neighbours and writes the next one, scaled to the same size, into FOLDER. Such crops were cut
by boxes of their own, so their difference is also the detector's jitter.

FOLDER keeps the runs; what is there is not computed again. Prints tables; their intervals are of 95 %, from a bootstrap over
groups (`dfkit evaluate --ablate members`). Needs PyYAML and, for --difference, Pillow.
"""
import argparse
import collections
import csv
import json
import os
import re
import subprocess

import yaml


def read(path):
    base = os.path.dirname(os.path.realpath(path))
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["path"] = os.path.normpath(os.path.join(base, row["path"]))
    return rows


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def place(row):
    return row.get("video") or row.get("group") or row["path"], row["label"], row.get("person", "")


def with_later(rows, folder):
    """The rows whose next file, by its number, is of the same place: with that file as the later crop."""
    from PIL import Image
    os.makedirs(f"{folder}/later", exist_ok=True)

    def number(path):
        found = re.search(r"(\d+)\.[^.]*$", path)
        return int(found[1]) if found else None

    by_place = {(os.path.dirname(row["path"]), number(row["path"]), place(row)): row for row in rows}
    kept = []
    for row in rows:
        folder_of, own = os.path.dirname(row["path"]), number(row["path"])
        found = [by_place.get((folder_of, own + step, place(row))) for step in (1, 2)]
        following = next((other for other in found if other), None)
        if following is None:
            continue
        later = f"{folder}/later/{row['label']}-{own}.png"
        if not os.path.exists(later):
            size = Image.open(row["path"]).size
            Image.open(following["path"]).convert("RGB").resize(size, Image.BILINEAR).save(later)
        kept.append({**row, "later": os.path.abspath(later)})
    return kept


def description(dfkit, network):
    found = json.loads(subprocess.run(
        [dfkit, "weights", "info", network, "--json"], capture_output=True, text=True, check=True).stdout)
    return {key: found[key] for key in ("architecture", "scheme", "norm", "size", "stages") if found.get(key)}


def train(options, name, data, member, training, start):
    """Trains a member with each seed, unless that was done; returns the members and their weights."""
    members, chosen = [], []
    recipe = f"{options.folder}/{name}.yaml"
    with open(recipe, "w") as file:
        yaml.safe_dump({"name": name, "training": training, "members": [{"name": name, **member}]}, file, sort_keys=False)
    for seed in options.seeds:
        run = f"{options.folder}/{name}-{seed}"
        if not os.path.exists(f"{run}.done"):
            again = ["--resume"] if os.path.exists(f"{run}/checkpoint.safetensors") else [
                "--data", data, "--recipe", recipe, "--init", start, "--seed", str(seed)]
            subprocess.run([options.dfkit, "train", "--output", run, *again], check=True)
            open(f"{run}.done", "w").close()
        members.append({"name": f"{name}-{seed}", **member})
        chosen.append(f"{name}-{seed}={run}/last.safetensors")
    return members, chosen


def compare(options, name, data, members, chosen):
    recipe = f"{options.folder}/{name}.yaml"
    with open(recipe, "w") as file:
        # Copied, so that no value is written as a reference to another.
        yaml.safe_dump({"name": name, "members": json.loads(json.dumps(members))}, file, sort_keys=False)
    command = [options.dfkit, "evaluate", "--data", data, "--recipe", recipe, "--ablate", "members"]
    for choice in chosen:
        command += ["--weights", choice]
    with open(f"{options.folder}/{name}.json", "w") as file:
        subprocess.run([*command, "--json"], stdout=file, check=True)
    subprocess.run(command, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dfkit")
    parser.add_argument("folder")
    parser.add_argument("--data", required=True)
    parser.add_argument("--lstm")
    parser.add_argument("--difference")
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(s) for s in text.split(",")])
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--shortest", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    rows = read(options.data)
    counts = collections.Counter(place(row) for row in rows)
    rows = [row for row in rows if counts[place(row)] >= options.shortest]

    if options.lstm:
        data, weights = f"{options.folder}/clips.csv", f"{options.folder}/frames.safetensors"
        write(data, rows)
        if not os.path.exists(weights):
            subprocess.run([options.dfkit, "weights", "convert", options.lstm, weights], check=True)
        network = description(options.dfkit, weights)
        training = {"epochs": options.epochs, "batchSize": 16, "sampling": "balanced", "ema": 0.99,
                    "optimizer": {"kind": "adamw", "learningRate": 0.0005, "weightDecay": 0.05},
                    "schedule": {"kind": "cosine"}, "augmentation": "none"}
        sequence = {"kind": "sequence", "hidden": options.hidden, "clipFrames": options.frames, **network}
        members, chosen = train(options, "lstm", data, sequence, training, weights)
        compare(options, "lstm-beside-mean", data, [{"name": "mean", **network}, *members],
                [f"mean={weights}", *chosen])

    if options.difference:
        data = f"{options.folder}/neighbours.csv"
        write(data, with_later(rows, options.folder))
        training = {"epochs": 2, "batchSize": 32, "sampling": "balanced",
                    "optimizer": {"kind": "adamw", "learningRate": 0.0003, "weightDecay": 0.05},
                    "schedule": {"kind": "cosine", "warmUp": 0.2}}
        plain = {"architecture": "efficientnet-lite0", "size": options.size, "norm": "batch"}
        motion = {**plain, "input": {"difference": 0.04, "channels": "luma"}}
        without = train(options, "single", data, plain, training, options.difference)
        using = train(options, "motion", data, motion, training, options.difference)
        compare(options, "with-difference", data, without[0] + using[0], without[1] + using[1])


if __name__ == "__main__":
    main()
