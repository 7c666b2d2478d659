"""What pseudo-labels are worth where few labels are known: Noisy Student (Xie et al. 2020) against its teacher.

    python noisy-student-experiment.py DFKIT FOLDER --data dfdc.csv --init IMAGENET.pth
        [--labels 0.1] [--size 128] [--images 12000] [--sure 0.9] [--seeds 1,2,3] [--only teacher,student,...]

The CSV comes from `dfkit split`: its column `split` holds out people. For each seed, a tenth of the training samples is
drawn, as many of each label as there are; only these keep their labels. The others lose label, video and original.

- teacher: learns from the tenth, with little noise
- student: the same network; learns from the tenth and from what the teacher is sure of in the rest, with much noise
- plain-student: the same data as the student, the noise of the teacher
- noisy-teacher: the data of the teacher, the noise of the student
- every-label: the teacher with all labels, for comparison

All see the same number of images (--images). Their last weights judge the people held out, so that nothing is chosen by
them. FOLDER keeps all files: what is there is not computed again, and a training that was stopped is continued. Prints
tables in Markdown and writes noisy-student.json. Intervals are of 95 %, from a bootstrap that draws groups or people (2,000
times), of the mean of the seeds; those of differences draw the same groups for both. Needs numpy.
"""
import argparse
import csv
import json
import os
import random
import subprocess

import numpy as np

from ablation import auc, interval, log_loss, rows

DRAWS = 2000
RECIPE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Docs", "noisy-student", "lite.yaml")
# The data and the recipe's member of each variant.
VARIANTS = {
    "teacher": ("labelled", "teacher", "teacher: a tenth of the labels"),
    "student": ("both", "student", "student: pseudo-labels for the rest, and noise"),
    "plain-student": ("both", "teacher", "student without noise"),
    "noisy-teacher": ("labelled", "student", "noise without pseudo-labels"),
    "every-label": ("all", "teacher", "all labels"),
}


def write(path, samples, fields):
    with open(path + ".part", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=fields, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(samples)
    os.rename(path + ".part", path)


def prepare(options, samples, seed):
    """The manifests of a seed: labelled, unlabelled, all, and the people who are held out."""
    folder = f"{options.folder}/{seed}"
    os.makedirs(folder, exist_ok=True)
    generator = random.Random(seed)
    training = [s for s in samples if s["split"] == "train"]
    if options.most:
        training = sorted(generator.sample(training, min(options.most, len(training))), key=lambda s: s["path"])
    known = set()
    for label in ("REAL", "FAKE"):
        same = [s["path"] for s in training if s["label"] == label]
        known |= set(generator.sample(same, max(2, round(len(same) * options.labels))))
    held = [s for s in samples if s["split"] == "validation"]
    # Watched while training goes on; what judges is the whole part, and the last weights.
    watched = held[:: max(1, len(held) // 200)]
    fields = list(samples[0])
    write(f"{folder}/labelled.csv", [s for s in training if s["path"] in known] + watched, fields)
    write(f"{folder}/all.csv", training + watched, fields)
    hidden = [f for f in fields if f not in ("label", "video", "original", "split")]
    write(f"{folder}/unlabelled.csv", [s for s in training if s["path"] not in known], hidden)
    write(f"{folder}/held-out.csv", held, hidden)
    return folder


def judge(options, weights, data, output, *more):
    """The probabilities of the faces in a manifest, by their paths."""
    if not os.path.exists(output):
        subprocess.run(
            [options.dfkit, "pseudo-label", data, "--weights", weights, "--output", output + ".part.csv",
             "--cache", f"{options.folder}/scores", *more], check=True)
        os.rename(output + ".part.csv", output)
    return output


def train(options, folder, seed, name, manifests, member):
    run = f"{folder}/{name}"
    if not os.path.exists(f"{run}.done"):
        command = [options.dfkit, "train", "--output", run]
        if os.path.exists(f"{run}/checkpoint.safetensors"):
            command += ["--resume"]
        else:
            count = sum(s.get("split") != "validation" for path in manifests for s in rows(path))
            for path in manifests:
                command += ["--data", path]
            command += ["--recipe", RECIPE, "--member", member, "--init", options.init, "--seed", str(seed),
                        "--size", str(options.size), "--epochs", str(max(1, round(options.images / count)))]
        subprocess.run(command, check=True)
        open(f"{run}.done", "w").close()
    return f"{run}/last.safetensors"


def run(options, samples, seed):
    folder = prepare(options, samples, seed)
    everything = ["--sure", "0.5", "--no-balance", "--per-video", "all"]
    labels = {"labelled": [f"{folder}/labelled.csv"], "all": [f"{folder}/all.csv"]}
    teacher = train(options, folder, seed, "teacher", labels["labelled"], "teacher")
    if any(VARIANTS[name][0] == "both" for name in options.only):
        made = judge(options, teacher, f"{folder}/unlabelled.csv", f"{folder}/pseudo.csv", "--sure", str(options.sure),
                     *([] if options.balance else ["--no-balance"]))
        labels["both"] = labels["labelled"] + [made]
    for name in options.only:
        data, member, _ = VARIANTS[name]
        weights = train(options, folder, seed, name, labels[data], member)
        judge(options, weights, f"{folder}/held-out.csv", f"{folder}/{name}-scores.csv", *everything)


def found(options, samples, seed):
    """What the teacher of a seed labelled, and how much of it is right."""
    path = f"{options.folder}/{seed}/pseudo.csv"
    if not os.path.exists(path):
        return None
    truth = {s["path"]: s["label"] for s in samples}
    made = rows(path)
    right = sum(truth[s["path"]] == s["label"] for s in made)
    return {"seed": seed, "unlabelled": len(rows(f"{options.folder}/{seed}/unlabelled.csv")), "kept": len(made),
            "right": right / len(made)}


def report(options, samples):
    held = [s for s in samples if s["split"] == "validation"]
    fake = np.array([s["label"] == "FAKE" for s in held])
    # `dfkit split --without-pictures` leaves the group empty where the manifest names the person.
    groups = [s.get("group") or s.get("person") or s["path"] for s in held]
    names = sorted(set(groups))
    group_of = np.searchsorted(names, groups)
    generator = np.random.default_rng(0)
    draws = [np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names))[group_of].astype(float)
             for _ in range(options.draws)]
    draws = [d for d in draws if d[fake].sum() and d[~fake].sum()]
    result, drawn = {}, {}
    for name in options.only:
        seeds = []
        for seed in options.seeds:
            scores = {s["path"]: float(s["probability"]) for s in rows(f"{options.folder}/{seed}/{name}-scores.csv")}
            seeds.append(np.array([scores[s["path"]] for s in held]))
        result[name] = {}
        for measure, function in (("logLoss", log_loss), ("auc", auc)):
            each = [function(p, fake, np.ones(len(fake))) for p in seeds]
            drawn[name, measure] = np.array([np.mean([function(p, fake, d) for p in seeds]) for d in draws])
            value = interval(np.mean(each), drawn[name, measure])
            value["seeds"] = [float(v) for v in each]
            if name != options.only[0]:
                first = options.only[0]
                value["difference"] = interval(
                    np.mean(each) - result[first][measure]["mean"], drawn[name, measure] - drawn[first, measure])
            result[name][measure] = value
    labels = [f for f in (found(options, samples, seed) for seed in options.seeds) if f]
    whole = {"faces": len(held), "fake": int(fake.sum()), "groups": len(names), "labels": options.labels,
             "sure": options.sure, "images": options.images, "size": options.size, "pseudoLabels": labels,
             "variants": result}
    with open(f"{options.folder}/noisy-student.json", "w") as file:
        json.dump(whole, file, indent=1)
        file.write("\n")
    print(f"{len(held)} faces of people held out, {int(fake.sum())} of them fake, in {len(names)} groups;"
          f" seeds {', '.join(map(str, options.seeds))}")
    for entry in labels:
        print(f"seed {entry['seed']}: {entry['kept']} of {entry['unlabelled']} faces kept, {entry['right']:.1%} of"
              f" their labels right")

    def cell(value):
        return f"{value['mean']:.3f} ({value['low']:.3f} to {value['high']:.3f})" if value else ""

    print("\n| | log loss | AUC | difference in log loss | in AUC |\n|---|---|---|---|---|")
    for name, value in result.items():
        cells = [cell(value[m]) for m in ("logLoss", "auc")]
        cells += [cell(value[m].get("difference")) for m in ("logLoss", "auc")]
        print(f"| {VARIANTS[name][2]} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dfkit")
    parser.add_argument("folder")
    parser.add_argument("--data", required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--labels", type=float, default=0.1, help="the share of labels that is known")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--images", type=int, default=12000, help="how many images each training sees")
    parser.add_argument("--sure", type=float, default=0.9)
    parser.add_argument("--no-balance", dest="balance", action="store_false", help="keep all faces that are sure")
    parser.add_argument("--most", type=int, help="the most training samples to use, drawn at random")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(s) for s in text.split(",")])
    parser.add_argument("--only", default="teacher,student,plain-student", type=lambda text: text.split(","))
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    base = os.path.dirname(os.path.realpath(options.data))
    samples = rows(options.data)
    for sample in samples:
        sample["path"] = os.path.join(base, sample["path"])
    for seed in options.seeds:
        run(options, samples, seed)
    report(options, samples)


if __name__ == "__main__":
    main()
