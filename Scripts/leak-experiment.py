"""The parts of leak-experiment that are no commands of dfkit.

    python leak-experiment.py frames FOLDER    # frames.csv: the parts of groups.csv drawn frame by frame; test/
    python leak-experiment.py report FOLDER    # table of log loss and AUC, report.json
"""
import csv
import json
import math
import os
import random
import sys


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def frames(folder):
    samples = rows(f"{folder}/groups.csv")
    known = [s for s in samples if s["split"] in ("train", "validation")]
    generator = random.Random(0)
    for label in sorted({s["label"] for s in known}):
        same = [s for s in known if s["label"] == label]
        parts = [s["split"] for s in same]
        generator.shuffle(parts)
        for sample, part in zip(same, parts):
            sample["split"] = part
    with open(f"{folder}/frames.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(samples[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(samples)
    os.makedirs(f"{folder}/test", exist_ok=True)
    for sample in samples:
        if sample["split"] == "test":
            source = os.path.realpath(os.path.join(folder, sample["path"]))
            target = f"{folder}/test/{sample['label']}-{os.path.basename(source)}"
            if not os.path.lexists(target):
                os.symlink(source, target)


def log_loss(judged):
    return -sum(
        math.log(min(max(p if fake else 1 - p, 1e-15), 1)) for p, fake in judged) / len(judged)


def auc(judged):
    ordered = sorted(judged)
    start, total = 0, 0.0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        total += sum(fake for _, fake in ordered[start:end]) * (start + end + 1) / 2
        start = end
    fakes = sum(fake for _, fake in judged)
    rank = total - fakes * (fakes + 1) / 2
    return rank / (fakes * (len(judged) - fakes))


def report(folder):
    result = {}
    print("| drawn by | validation log loss | AUC | test log loss | AUC |")
    print("|---|---|---|---|---|")
    for split in ("frames", "groups"):
        last = rows(f"{folder}/{split}/metrics.csv")[-1]
        with open(f"{folder}/{split}-test.json") as file:
            judged = [
                (r["probability"], os.path.basename(r["file"]).startswith("FAKE"))
                for r in json.load(file)]
        validation = {"logLoss": float(last["val_log_loss"]), "auc": float(last["val_auc"])}
        test = {"pictures": len(judged), "logLoss": log_loss(judged), "auc": auc(judged)}
        result[split] = {"epochs": int(last["epoch"]), "validation": validation, "test": test}
        print(f"| {split} | {validation['logLoss']:.3f} | {validation['auc']:.4f}"
              f" | {test['logLoss']:.3f} | {test['auc']:.4f} |")
    with open(f"{folder}/report.json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    {"frames": frames, "report": report}[sys.argv[1]](sys.argv[2])
