"""The parts of ablation that are no commands of dfkit.

    python ablation.py prepare FACES.CSV FOLDER STEP EPOCHS SIZE   # train.csv, variant-*.yaml
    python ablation.py report FOLDER                               # a table in Markdown, ablation.json, ablation.svg

A group that `dfkit split` found stands for a video. Intervals are of 95 %, from a bootstrap that draws groups (2,000
times), of the mean of the seeds' log losses and AUCs; those of differences draw the same groups for both.
"""
import csv
import glob
import json
import os
import sys

import numpy as np

CLIP = 0.01
FRAMES = 25
DRAWS = 2000
VARIANTS = {
    "base": "as the recipe has it",
    "without-made-fakes": "without fakes made from real faces",
    "silver": "the silver recipe's augmentation",
    "batch-norm": "batch norm",
}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def change(recipe, name):
    member, training = recipe["members"][0], recipe["training"]
    if name == "without-made-fakes":
        del training["fakes"]
    elif name == "silver":
        training["augmentation"] = "silver"
    elif name == "batch-norm":
        member["norm"] = "batch"
        member.pop("groups", None)


def prepare(faces, folder, step, epochs, size):
    import yaml
    base = os.path.dirname(os.path.realpath(faces))
    samples = rows(faces)
    training = [s for s in samples if s["split"] == "train"][::int(step)]
    # Watched while training goes on; what judges is the whole part, and the last epoch's weights.
    watched = [s for s in samples if s["split"] == "validation"][::10]
    for sample in training + watched:
        sample["path"] = os.path.join(base, sample["path"])
    with open(f"{folder}/train.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(samples[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(training + watched)
    for name in VARIANTS:
        with open(f"{folder}/default.yaml") as file:
            recipe = yaml.safe_load(file)
        recipe["training"]["epochs"] = int(epochs)
        recipe["members"][0]["size"] = int(size)
        recipe["members"][0].pop("weights", None)
        change(recipe, name)
        with open(f"{folder}/variant-{name}.yaml", "w") as file:
            yaml.safe_dump(recipe, file, sort_keys=False)


def log_loss(p, fake, weights):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.average(np.where(fake, np.log(p), np.log(1 - p)), weights=weights)


def auc(p, fake, weights):
    order = np.argsort(p, kind="stable")
    p, fake, weights = p[order], fake[order], weights[order]
    positive, negative = weights * fake, weights * ~fake
    start = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    up, down = np.add.reduceat(positive, start), np.add.reduceat(negative, start)
    below = np.cumsum(down) - down
    return (up * (below + down / 2)).sum() / (up.sum() * down.sum())


def spread(places, count):
    """At most `count` of `places`, evenly spread."""
    if len(places) <= count:
        return places
    return [places[int((2 * i + 1) * len(places) / (2 * count))] for i in range(count)]


def videos(p, groups, count):
    return np.array([np.clip(p[spread(places, count)].mean(), CLIP, 1 - CLIP) for places in groups])


def interval(value, drawn):
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"mean": float(value), "low": float(low), "high": float(high)}


def table(result, levels, choose):
    print("| | " + " | ".join(f"{level}: log loss | AUC" for level in levels) + " |")
    print("|---" * (1 + 2 * len(levels)) + "|")
    for name, found in result.items():
        cells = []
        for level in levels:
            for measure in ("logLoss", "auc"):
                m = choose(found[level][measure])
                cells.append(f"{m['mean']:.3f} ({m['low']:.3f} to {m['high']:.3f})" if m else "")
        print(f"| {VARIANTS[name]} | " + " | ".join(cells) + " |")


def report(folder):
    judged = rows(sorted(glob.glob(f"{folder}/*-[0-9]*.csv"))[0])
    fake = np.array([row["label"] == "FAKE" for row in judged])
    members = {}
    for place, row in enumerate(judged):
        members.setdefault((row["group"], row["label"]), []).append(place)
    groups = list(members.values())
    group_of = np.empty(len(judged), int)
    for number, places in enumerate(groups):
        group_of[places] = number
    video_fake = np.array([fake[places[0]] for places in groups])
    generator = np.random.default_rng(0)
    draws = [np.bincount(generator.integers(0, len(groups), len(groups)), minlength=len(groups))
             for _ in range(DRAWS)]
    levels = {"crop": None, "one frame": 1, f"{FRAMES} frames": FRAMES}
    result, bootstrap = {}, {}
    for name in VARIANTS:
        seeds = []
        for path in sorted(glob.glob(f"{folder}/{name}-[0-9]*.csv")):
            scored = rows(path)
            assert [row["path"] for row in scored] == [row["path"] for row in judged], path
            logits = np.array([float(row["logit"]) for row in scored])
            seeds.append(1 / (1 + np.exp(-logits)))
        if not seeds:
            continue
        result[name] = {"seeds": len(seeds)}
        for level, count in levels.items():
            truth = fake if count is None else video_fake
            scores = seeds if count is None else [videos(p, groups, count) for p in seeds]
            for measure, function in (("logLoss", log_loss), ("auc", auc)):
                ones = np.ones(len(truth))
                each = [function(p, truth, ones) for p in scores]
                drawn = []
                for draw in draws:
                    weights = (draw[group_of] if count is None else draw).astype(float)
                    if weights[truth].sum() and weights[~truth].sum():
                        drawn.append(np.mean([function(p, truth, weights) for p in scores]))
                bootstrap[name, level, measure] = np.array(drawn)
                found = interval(np.mean(each), drawn)
                found["seeds"] = [float(v) for v in each]
                if name != "base":
                    base = result["base"][level][measure]["mean"]
                    found["difference"] = interval(
                        np.mean(each) - base,
                        bootstrap[name, level, measure] - bootstrap["base", level, measure])
                result[name].setdefault(level, {})[measure] = found
    with open(f"{folder}/ablation.json", "w") as file:
        json.dump({"crops": len(judged), "groups": len(groups), "variants": result}, file, indent=1)
        file.write("\n")
    print(f"{len(judged)} crops, {int(fake.sum())} of them fake, in {len(groups)} groups\n")
    table(result, levels, lambda m: m)
    print("\nDifference from the first row:\n")
    changed = {name: found for name, found in result.items() if name != "base"}
    table(changed, levels, lambda m: m["difference"])
    with open(f"{folder}/ablation.svg", "w") as file:
        file.write(plot(result, list(levels)))


def plot(result, levels):
    """A row for each variant and level: the mean log loss with its interval, and a dot for each seed."""
    high = max(v[l]["logLoss"]["high"] for v in result.values() for l in levels)
    width, left, right, step = 860, 300, 820, 22
    lines, y = [], 66

    def x(loss):
        return left + (right - left) * loss / (high * 1.05)

    def text(at, upper, words, anchor="start", color="#333333", weight="normal"):
        return (f'<text x="{at:.1f}" y="{upper:.1f}" font-size="12" text-anchor="{anchor}"'
                f' font-weight="{weight}" fill="{color}">{words}</text>')

    colors = ["#6E7781", "#B42318", "#0969DA"]
    for name, found in result.items():
        lines.append(text(16, y + 4, VARIANTS[name], weight="bold"))
        for level, color in zip(levels, colors):
            m = found[level]["logLoss"]
            lines.append(text(left - 8, y + 4, level, "end", color))
            lines.append(f'<line x1="{x(m["low"]):.1f}" x2="{x(m["high"]):.1f}" y1="{y}" y2="{y}"'
                         f' stroke="{color}" stroke-width="2"/>')
            for value in m["seeds"]:
                lines.append(f'<circle cx="{x(value):.1f}" cy="{y}" r="2.5" fill="none"'
                             f' stroke="{color}"/>')
            lines.append(f'<circle cx="{x(m["mean"]):.1f}" cy="{y}" r="4.5" fill="{color}"/>')
            y += step
        y += 14
    ticks = []
    for i in range(int(high * 1.05 / 0.2) + 1):
        at = x(i * 0.2)
        ticks.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="48" y2="{y - 20}" stroke="#E4E4E4"/>')
        ticks.append(text(at, y, f"{i * 0.2:.1f}", "middle", "#666666"))
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 16}"'
        f' viewBox="0 0 {width} {y + 16}" font-family="Helvetica, Arial, sans-serif">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        text(16, 26, "Log loss on the validation groups: mean of the seeds, each seed, 95 % interval",
             weight="bold")]
    return "\n".join(head + ticks + lines + ["</svg>"]) + "\n"


if __name__ == "__main__":
    {"prepare": prepare, "report": report}[sys.argv[1]](*sys.argv[2:])
