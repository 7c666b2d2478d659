"""What each choice of a recipe's member is worth, one changed at a time: Docs/ModelCard.md has the outcome.

    python ablation.py DFKIT FOLDER --recipe default --member lite0-160 --init IMAGENET.pth
        --data dfdc.csv --data mesonet.csv --data real.csv [--size 128] [--step 3] [--seeds 1,2,3] [--only base,...]

Each CSV comes from `dfkit landmarks` and `dfkit split` and is of one collection. Networks are trained for one epoch over
every STEP-th training sample; the last weights judge the validation part of each collection with both labels, so that
nothing is chosen by it. FOLDER keeps the runs and their scores: what is there is not computed again.

Prints tables in Markdown and writes ablation.json and ablation.svg. Intervals are of 95 %, from a bootstrap that draws
groups (people, or what `dfkit split` found to belong together; 2,000 times), of the mean of the seeds' log losses and
AUCs; those of differences draw the same groups for both. Needs PyYAML and numpy.
"""
import argparse
import csv
import glob
import json
import os
import subprocess

import numpy as np

DRAWS = 2000
GEOMETRY = {"framing", "rotation", "shiftScale", "horizontalFlip"}
COLOUR = {"brightnessContrast", "hueSaturationValue", "gamma", "grey"}
QUALITY = {"oneOf", "noise", "jpeg", "downscale", "blur", "motionBlur"}
VARIANTS = {
    "base": "as the recipe has it",
    "random-start": "from random weights",
    "group-norm": "group norm instead of batch norm",
    "group-norm-slow": "group norm, half an epoch of warm-up, half the rate",
    "frozen-statistics": "batch norm's statistics as ImageNet left them",
    "layer-decay": "earlier layers slower, by 0.8 a level",
    "not-paired": "fakes not next to their originals",
    "no-made-fakes": "without fakes made from real faces",
    "no-geometry": "without framing, turns, shifts and flips",
    "no-colour": "without changes of colour",
    "no-quality": "without blur, noise, JPEG and downscaling",
    "no-dfdc": "without DFDC",
    "no-mesonet-train": "without MesoNet's set",
    "no-single": "without LFW, FFHQ and UTKFace",
}
NAMES = {"dfdc": "DFDC", "mesonet-train": "MesoNet's set"}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def without(steps, names):
    return [step for step in steps if not (set([step] if isinstance(step, str) else step) & names)]


def change(recipe, name):
    training, member = recipe["training"], recipe["members"][0]
    if name == "group-norm":
        member["norm"] = "group"
    elif name == "group-norm-slow":
        member["norm"] = "group"
        training["optimizer"]["learningRate"] /= 2
        training["schedule"]["warmUp"] = 0.5
    elif name == "frozen-statistics":
        training["freezeStatistics"] = True
    elif name == "layer-decay":
        training["optimizer"]["layerDecay"] = 0.8
    elif name == "not-paired":
        training["sampling"] = "balanced"
    elif name == "no-made-fakes":
        training.pop("fakes", None)
    elif name in ("no-geometry", "no-colour", "no-quality"):
        dropped = {"no-geometry": GEOMETRY, "no-colour": COLOUR, "no-quality": QUALITY}[name]
        training["augmentation"] = without(training["augmentation"], dropped)


def is_left_out(sample, name):
    origin = sample["origin"]
    if name == "no-single":
        return origin not in NAMES
    return name == f"no-{origin}"


def prepare(options, samples):
    import yaml
    shown = subprocess.run(
        [options.dfkit, "recipe", "show", options.recipe], capture_output=True, text=True, check=True)
    whole = yaml.safe_load(shown.stdout)
    member = [m for m in whole["members"] if m["name"] == options.member][0]
    training = {**whole.get("training", {}), **member.pop("training", {})}
    fields = list(samples[0])
    for name in options.only:
        recipe = {"name": "ablation", "crop": whole["crop"], "training": json.loads(json.dumps(training)),
                  "members": [dict(member)]}
        recipe["training"]["epochs"] = 1
        recipe["members"][0]["size"] = options.size
        recipe["members"][0].pop("weights", None)
        change(recipe, name)
        with open(f"{options.folder}/variant-{name}.yaml", "w") as file:
            yaml.safe_dump(recipe, file, sort_keys=False)
        kept = [s for s in samples if s["split"] == "train"][::options.step]
        # Watched while training goes on; what judges is the whole part, and the last weights.
        watched = [s for s in samples if s["split"] == "validation"][::20]
        with open(f"{options.folder}/data-{name}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=fields, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows([s for s in kept if not is_left_out(s, name)] + watched)


def train(options, judges):
    for seed in options.seeds:
        for name in options.only:
            run = f"{options.folder}/{name}-{seed}"
            if not os.path.exists(f"{run}/last.safetensors"):
                command = [options.dfkit, "train", "--output", run]
                if os.path.exists(f"{run}/checkpoint.safetensors"):
                    command += ["--resume"]
                else:
                    command += ["--data", f"{options.folder}/data-{name}.csv", "--seed", str(seed),
                                "--recipe", f"{options.folder}/variant-{name}.yaml"]
                    if name != "random-start":
                        command += ["--init", options.init]
                subprocess.run(command, check=True)
            for origin, path in judges.items():
                scores = f"{run}-{origin}.csv"
                if not os.path.exists(scores):
                    # A network that is no better than chance is refused; its variant has no row then.
                    judged = subprocess.run(
                        [options.dfkit, "calibrate", "--weights", f"{run}/last.safetensors", "--data", path,
                         "--scores", f"{run}.part"], stdout=subprocess.DEVNULL)
                    if judged.returncode == 0:
                        os.rename(f"{run}.part", scores)


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


def judge(folder, origin, only):
    """Of each variant, the log loss and the AUC of a collection's crops, and how they differ from the first's."""
    judged = rows(sorted(glob.glob(f"{folder}/*-[0-9]*-{origin}.csv"))[0])
    fake = np.array([row["label"] == "FAKE" for row in judged])
    names = sorted({row["group"] for row in judged})
    group_of = np.searchsorted(names, [row["group"] for row in judged])
    generator = np.random.default_rng(0)
    draws = [np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names))[group_of]
             for _ in range(DRAWS)]
    draws = [d.astype(float) for d in draws if d[fake].sum() and d[~fake].sum()]
    result, bootstrap = {}, {}
    for name in only:
        seeds = []
        for path in sorted(glob.glob(f"{folder}/{name}-[0-9]*-{origin}.csv")):
            scored = rows(path)
            assert [row["path"] for row in scored] == [row["path"] for row in judged], path
            seeds.append(1 / (1 + np.exp(-np.array([float(row["logit"]) for row in scored]))))
        if not seeds:
            continue
        result[name] = {}
        for measure, function in (("logLoss", log_loss), ("auc", auc)):
            each = [function(p, fake, np.ones(len(fake))) for p in seeds]
            drawn = np.array([np.mean([function(p, fake, d) for p in seeds]) for d in draws])
            bootstrap[name, measure] = drawn
            found = interval(np.mean(each), drawn)
            found["seeds"] = [float(v) for v in each]
            if name != "base":
                found["difference"] = interval(
                    np.mean(each) - result["base"][measure]["mean"], drawn - bootstrap["base", measure])
            result[name][measure] = found
    return {"crops": len(judged), "fake": int(fake.sum()), "groups": len(names), "variants": result}


def report(folder, origins, only):
    sources = {NAMES.get(origin, origin): judge(folder, origin, only) for origin in origins}
    with open(f"{folder}/ablation.json", "w") as file:
        json.dump(sources, file, indent=1)
        file.write("\n")
    for source, found in sources.items():
        print(f"{source}: {found['crops']} crops, {found['fake']} of them fake, in {found['groups']} groups")
    variants = {name: {source: found["variants"][name] for source, found in sources.items()}
                for name in only if all(name in found["variants"] for found in sources.values())}
    print()
    table(variants, list(sources), lambda m: m)
    print("\nDifference from the first row:\n")
    changed = {name: found for name, found in variants.items() if name != "base"}
    table(changed, list(sources), lambda m: m["difference"])
    with open(f"{folder}/ablation.svg", "w") as file:
        file.write(plot(variants, list(sources)))


def plot(result, levels):
    """A row for each variant and level: the mean log loss with its interval, and a dot for each seed."""
    high = max(v[l]["logLoss"]["high"] for v in result.values() for l in levels)
    width, left, right, step = 980, 420, 940, 22
    lines, y = [], 66

    def x(loss):
        return left + (right - left) * loss / (high * 1.05)

    def text(at, upper, words, anchor="start", color="#333333", weight="normal"):
        return (f'<text x="{at:.1f}" y="{upper:.1f}" font-size="12" text-anchor="{anchor}"'
                f' font-weight="{weight}" fill="{color}">{words}</text>')

    colors = ["#B42318", "#0969DA"]
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
        text(16, 26, "Log loss on people and groups held out: mean of the seeds, each seed, 95 % interval",
             weight="bold")]
    return "\n".join(head + ticks + lines + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dfkit")
    parser.add_argument("folder")
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--member", required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--step", type=int, default=3)
    parser.add_argument("--seeds", default="1", type=lambda text: [int(s) for s in text.split(",")])
    parser.add_argument("--only", default=list(VARIANTS), type=lambda text: text.split(","))
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    samples, judges = [], {}
    for path in options.data:
        base = os.path.dirname(os.path.realpath(path))
        found = rows(path)
        if {s["label"] for s in found} == {"REAL", "FAKE"}:
            judges[found[0]["origin"]] = path
        for sample in found:
            sample["path"] = os.path.join(base, sample["path"])
        samples += found
    prepare(options, samples)
    train(options, judges)
    report(options.folder, list(judges), options.only)


if __name__ == "__main__":
    main()
