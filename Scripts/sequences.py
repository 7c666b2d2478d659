"""What the order of frames is worth: an LSTM over a network's features beside the mean over the network's frame scores.

    python sequences.py DFKIT FOLDER --data DATA.csv --network WEIGHTS [--seeds 1,2,3] [--frames 16] [--shortest 4]

DATA.csv comes from `dfkit split`: the columns split, and video or group. WEIGHTS are a network of single frames, which must
not have learned from the validation part: a file, or the name of weights that ship. Only videos or groups with at least
SHORTEST crops of a label are used, since order means nothing in fewer. FOLDER keeps the runs; what is there is not
computed again.

Prints a table in Markdown and writes sequences.json. Intervals are of 95 %, from a bootstrap over groups
(`dfkit evaluate --ablate members`). Needs PyYAML.
"""
import argparse
import collections
import csv
import json
import os
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
    return (row.get("video") or row.get("group") or row["path"], row["label"], row.get("person", ""))


def description(dfkit, network):
    found = json.loads(subprocess.run(
        [dfkit, "weights", "info", network, "--json"], capture_output=True, text=True, check=True).stdout)
    return {key: found[key] for key in ("architecture", "scheme", "norm", "size", "stages") if found.get(key)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dfkit")
    parser.add_argument("folder")
    parser.add_argument("--data", required=True)
    parser.add_argument("--network", required=True)
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(s) for s in text.split(",")])
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--shortest", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    rows = read(options.data)
    counts = collections.Counter(place(row) for row in rows)
    data = f"{options.folder}/data.csv"
    write(data, [row for row in rows if counts[place(row)] >= options.shortest])

    weights = f"{options.folder}/frames.safetensors"
    if not os.path.exists(weights):
        subprocess.run([options.dfkit, "weights", "convert", options.network, weights], check=True)
    network = description(options.dfkit, weights)
    sequence = {"name": "lstm", "kind": "sequence", "hidden": options.hidden, "clipFrames": options.frames, **network}
    training = {"epochs": options.epochs, "batchSize": 16, "sampling": "balanced", "ema": 0.99,
                "optimizer": {"kind": "adamw", "learningRate": 0.0005, "weightDecay": 0.05},
                "schedule": {"kind": "cosine"}, "augmentation": "none"}
    recipe = f"{options.folder}/lstm.yaml"
    with open(recipe, "w") as file:
        yaml.safe_dump({"name": "lstm", "training": training, "members": [sequence]}, file, sort_keys=False)
    members = [{"name": "frames", **network}]
    chosen = [f"frames={weights}"]
    for seed in options.seeds:
        run = f"{options.folder}/lstm-{seed}"
        if not os.path.exists(f"{run}/plot.svg"):
            again = ["--resume"] if os.path.exists(f"{run}/checkpoint.safetensors") else [
                "--data", data, "--recipe", recipe, "--init", weights, "--seed", str(seed)]
            subprocess.run([options.dfkit, "train", "--output", run, *again], check=True)
        members.append({**sequence, "name": f"lstm-{seed}"})
        chosen.append(f"lstm-{seed}={run}/last.safetensors")

    both = f"{options.folder}/both.yaml"
    with open(both, "w") as file:
        yaml.safe_dump({"name": "both", "members": members}, file, sort_keys=False)
    command = [options.dfkit, "evaluate", "--data", data, "--recipe", both, "--ablate", "members", "--json"]
    for choice in chosen:
        command += ["--weights", choice]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with open(f"{options.folder}/sequences.json", "w") as file:
        file.write(found)
    subprocess.run([word for word in command if word != "--json"], check=True)


if __name__ == "__main__":
    main()
