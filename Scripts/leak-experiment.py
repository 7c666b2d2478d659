"""The parts of leak-experiment that are no commands of dfkit.

    python leak-experiment.py frames FOLDER    # frames.csv: the parts of groups.csv drawn frame by frame; test/
    python leak-experiment.py report FOLDER    # table of log loss and AUC, report.json, leak.svg
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


def plot(curves, tests):
    """Validation log loss by epoch for each split, and what the network then reaches on the test part."""
    colors = {"frames": "#B42318", "groups": "#0969DA"}
    names = {"frames": "frames drawn at random", "groups": "groups drawn by dfkit split"}
    epochs = max(len(curve) for curve in curves.values())
    top = max([loss for curve in curves.values() for loss in curve] + list(tests.values())) * 1.05

    def x(epoch):
        return 60 + 440 * (epoch - 1) / max(1, epochs - 1)

    def y(loss):
        return 300 - 250 * loss / top

    def text(left, upper, words, anchor="start", color="#333333", weight="normal"):
        return (f'<text x="{left:.0f}" y="{upper:.1f}" font-size="12" text-anchor="{anchor}"'
                f' font-weight="{weight}" fill="{color}">{words}</text>')

    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="820" height="340" viewBox="0 0 820 340"'
        ' font-family="Helvetica, Arial, sans-serif">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        text(60, 26, "Log loss: validation by epoch (lines), then the same test part (dots)",
             weight="bold"),
    ]
    step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if top / s <= 8)
    for tick in range(int(top / step) + 1):
        lines.append(f'<line x1="60" x2="560" y1="{y(tick * step):.1f}" y2="{y(tick * step):.1f}"'
                     ' stroke="#E4E4E4"/>')
        lines.append(text(52, y(tick * step) + 4, f"{tick * step:g}", "end", "#666666"))
    for epoch in range(1, epochs + 1):
        lines.append(text(x(epoch), 318, str(epoch), "middle", "#666666"))
    lines.append(text(545, 318, "test", "middle", "#666666"))
    for split, curve in curves.items():
        points = " ".join(f"{x(i + 1):.1f},{y(loss):.1f}" for i, loss in enumerate(curve))
        color = colors[split]
        lines.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        lines.append(f'<circle cx="545" cy="{y(tests[split]):.1f}" r="5" fill="{color}"/>')
    for place, split in enumerate(curves):
        row = 70 + 62 * place
        lines.append(text(580, row, names[split], color=colors[split], weight="bold"))
        lines.append(text(580, row + 18, f"validation {curves[split][-1]:.3f}"))
        lines.append(text(580, row + 36, f"test {tests[split]:.3f}"))
    return "\n".join(lines + ["</svg>"]) + "\n"


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
    with open(f"{folder}/leak.svg", "w") as file:
        file.write(plot({
            split: [float(row["val_log_loss"]) for row in rows(f"{folder}/{split}/metrics.csv")]
            for split in result}, {split: result[split]["test"]["logLoss"] for split in result}))
    with open(f"{folder}/report.json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    {"frames": frames, "report": report}[sys.argv[1]](sys.argv[2])
