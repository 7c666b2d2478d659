"""How good a network is on the groups of a part, from the scores that `dfkit calibrate --scores` wrote.

    python model-figures.py SCORES.CSV FACES.CSV [--scale A --offset B] [--plot groups.svg]

A group that `dfkit split` found stands for a video; its score is the mean of its crops' probabilities, which are
sigmoid(A x logit + B). Every crop counts once, and every group once; intervals are of 95 %, from a bootstrap that
draws groups (2,000 times). FACES.CSV says which collection a crop is from. Needs numpy.
"""
import argparse
import os

import numpy as np

from ablation import CLIP, DRAWS, auc, interval, log_loss, rows


def accuracy(p, fake, weights):
    return np.average((p >= 0.5) == fake, weights=weights)


def figures(name, p, fake, group_of, count, generator):
    """A row of the table: log loss, AUC and accuracy, with intervals."""
    draws = [np.bincount(generator.integers(0, count, count), minlength=count)[group_of].astype(float)
             for _ in range(DRAWS)]
    draws = [w for w in draws if w[fake].sum() and w[~fake].sum()]
    cells = []
    for measure in (log_loss, auc, accuracy):
        m = interval(measure(p, fake, np.ones(len(p))), [measure(p, fake, w) for w in draws])
        cells.append(f"{m['mean']:.3f} ({m['low']:.3f} to {m['high']:.3f})")
    print(f"| {name} | {len(p)} | {int(fake.sum())} | " + " | ".join(cells) + " |")


def plot(groups):
    """A dot for each group: across its score, as large as it has crops; real groups above, fake ones below."""
    width, height, left, right = 860, 300, 90, 830
    generator = np.random.default_rng(0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="16" y="24" font-weight="bold">Groups of the validation part by the mean P(fake) of their crops;'
        ' a dot is as large as the group</text>']
    for tick in range(0, 11, 2):
        x = left + (right - left) * tick / 10
        lines.append(f'<line x1="{x}" x2="{x}" y1="44" y2="{height - 36}"'
                     f' stroke="{"#888888" if tick == 5 else "#E4E4E4"}"/>')
        lines.append(f'<text x="{x}" y="{height - 16}" text-anchor="middle" fill="#666666">{tick / 10}</text>')
    middle = (left + right) / 2
    lines.append(f'<line x1="{middle}" x2="{middle}" y1="44" y2="{height - 36}" stroke="#888888"'
                 ' stroke-dasharray="4 3"/>')
    for is_fake, y, color, word in ((False, 100, "#0969DA", "real"), (True, 210, "#B42318", "fake")):
        lines.append(f'<text x="16" y="{y + 4}" fill="{color}" font-weight="bold">{word}</text>')
        for score, fake, count in groups:
            if fake == is_fake:
                jitter = generator.uniform(-38, 38)
                lines.append(f'<circle cx="{left + (right - left) * score:.1f}" cy="{y + jitter:.1f}"'
                             f' r="{1.2 + 0.7 * count ** 0.5:.1f}" fill="{color}" fill-opacity="0.45"/>')
    return "\n".join(lines + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores")
    parser.add_argument("faces")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--offset", type=float, default=0)
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    base = os.path.dirname(os.path.realpath(arguments.faces))
    origin = {os.path.realpath(os.path.join(base, s["path"])): s["origin"] for s in rows(arguments.faces)}
    judged = rows(arguments.scores)
    logits = np.array([float(row["logit"]) for row in judged])
    p = 1 / (1 + np.exp(-(arguments.scale * logits + arguments.offset)))
    fake = np.array([row["label"] == "FAKE" for row in judged])
    keys = sorted({(row["group"], row["label"]) for row in judged})
    place = {key: i for i, key in enumerate(keys)}
    group_of = np.array([place[row["group"], row["label"]] for row in judged])
    sizes = np.bincount(group_of)
    means = np.bincount(group_of, weights=p) / sizes
    group_fake = np.array([label == "FAKE" for _, label in keys])

    generator = np.random.default_rng(0)
    print("| of | number | fake | log loss | AUC | accuracy |\n|---|---|---|---|---|---|")
    figures("crops", p, fake, group_of, len(keys), generator)
    clipped = np.clip(means, CLIP, 1 - CLIP)
    figures("groups", clipped, group_fake, np.arange(len(keys)), len(keys), generator)

    print("\n| collection | label | crops | mean P(fake) | called fake |\n|---|---|---|---|---|")
    kinds = [(origin.get(os.path.realpath(row["path"]), "?"), row["label"]) for row in judged]
    for kind in sorted(set(kinds)):
        chosen = np.array([k == kind for k in kinds])
        print(f"| {kind[0]} | {kind[1].lower()} | {chosen.sum()} | {p[chosen].mean():.2f}"
              f" | {100 * (p[chosen] >= 0.5).mean():.0f} % |")

    wrong = (means >= 0.5) != group_fake
    for is_fake, word in ((False, "real"), (True, "fake")):
        kind = group_fake == is_fake
        print(f"\n{word} groups: {kind.sum()}, of them wrong {int((wrong & kind).sum())}; of the {int((kind & (sizes >= 10)).sum())}"
              f" with 10 crops or more {int((wrong & kind & (sizes >= 10)).sum())}")
        worst = [i for i in np.argsort(means if is_fake else -means) if kind[i]][:5]
        print("furthest off: " + ", ".join(f"{keys[i][0]} ({sizes[i]} crops) {means[i]:.2f}" for i in worst))
    if arguments.plot:
        with open(arguments.plot, "w") as file:
            file.write(plot(list(zip(means, group_fake, sizes))))


if __name__ == "__main__":
    main()
