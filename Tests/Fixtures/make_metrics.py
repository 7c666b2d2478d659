"""Makes metrics.json: what scikit-learn says of scores of fakes and reals, with ties and without, weighted and not.

    pip install numpy scikit-learn scipy
    python make_metrics.py metrics.json

What scikit-learn has no number for (areas and rates of one class) is null. It has no equal error rate either: that is
where its ROC curve, with straight lines between its points, meets the line of equal errors.
"""
import json
import sys

import numpy as np
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn import metrics

from formula import uniform

# name, judgements, digits of the scores, clip, share of fakes, whether they are weighted
CASES = [
    ("smooth", 60, 9, 1e-15, 0.4, False),
    ("ties", 80, 1, 1e-15, 0.4, False),
    ("few", 5, 9, 1e-15, 0.4, False),
    ("clipped", 40, 1, 0.01, 0.4, False),
    ("separable", 12, 9, 1e-15, 0.4, False),
    ("reversed", 12, 9, 1e-15, 0.4, False),
    ("large", 700, 3, 1e-15, 0.2, False),
    ("rare", 300, 2, 1e-15, 0.02, False),
    ("equal", 30, 0, 1e-15, 0.4, False),
    ("weighted", 120, 9, 1e-15, 0.4, True),
    ("weighted ties", 150, 1, 0.05, 0.3, True),
    ("reals only", 20, 9, 1e-15, 0, False),
    ("fakes only", 20, 9, 1e-15, 1, False),
]


def case(name, count, digits, clip, share, weighted):
    labels = (uniform(f"labels:{name}", count) < share).astype(int)
    if 0 < share < 1:
        labels[:2] = [0, 1]
    u = uniform(f"scores:{name}", count)
    p = np.round(0.25 * labels + 0.75 * u, digits)
    if name == "separable":
        p = 0.2 + 0.5 * labels + 0.1 * u
    if name == "reversed":
        p = 0.7 - 0.5 * labels + 0.1 * u
    if name == "equal":
        p = np.full(count, 0.5)
    weights = 3 * uniform(f"weights:{name}", count) if weighted else np.ones(count)
    if weighted:
        weights[5:9] = 0
    has_both = 0 < labels.sum() < count
    result = {
        "clip": clip, "labels": labels.tolist(), "scores": p.tolist(), "weights": weights.tolist(),
        "logLoss": metrics.log_loss(
            labels, np.clip(p, clip, 1 - clip), sample_weight=weights, labels=[0, 1]),
        "brier": metrics.brier_score_loss(labels, p, sample_weight=weights, pos_label=1),
        "accuracy": metrics.accuracy_score(labels, p >= 0.5, sample_weight=weights),
        "auc": None, "averagePrecision": None, "equalErrorRate": None}
    if has_both:
        kept = weights > 0
        fpr, tpr, _ = metrics.roc_curve(
            labels[kept], p[kept], sample_weight=weights[kept], drop_intermediate=False)
        result["auc"] = metrics.roc_auc_score(labels, p, sample_weight=weights)
        result["averagePrecision"] = metrics.average_precision_score(labels, p, sample_weight=weights)
        result["equalErrorRate"] = brentq(
            lambda x: 1 - x - interp1d(fpr, tpr)(x), 0, 1, xtol=1e-13, rtol=1e-13)
    return result


def main():
    rows = [f'"{c[0]}": {json.dumps({k: v for k, v in case(*c).items()})}' for c in CASES]
    with open(sys.argv[1], "w") as file:
        file.write("{" + ",\n ".join(rows) + "}\n")


if __name__ == "__main__":
    main()
