"""Makes stacking.json: scikit-learn's logistic regression of members' log odds, penalised and weighted.

    pip install numpy scikit-learn
    python make_stacking.py stacking.json
"""
import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

from formula import uniform

CASES = [("three", 200, 3, 1.0, False), ("weighted", 120, 2, 0.1, True), ("strong", 60, 4, 20.0, False)]


def main():
    entries = []
    for name, count, members, ridge, weighted in CASES:
        labels = (uniform(f"labels:{name}", count) < 0.4).astype(int)
        noise = uniform(f"scores:{name}", count * members).reshape(count, members)
        scores = np.clip(0.3 * labels[:, None] + 0.7 * noise, 0.001, 0.999).astype(np.float32)
        weights = 2 * uniform(f"weights:{name}", count) if weighted else np.ones(count)
        p = scores.astype(np.float64)
        model = LogisticRegression(C=1 / ridge, solver="newton-cholesky", tol=1e-12, max_iter=1000)
        model.fit(np.log(p / (1 - p)), labels, sample_weight=weights)
        entries.append({
            "name": name, "ridge": ridge, "scores": scores.tolist(), "labels": labels.tolist(),
            "weights": weights.tolist(), "stack": model.coef_[0].tolist(),
            "offset": float(model.intercept_[0])})
    with open(sys.argv[1], "w") as file:
        json.dump(entries, file)
        file.write("\n")


if __name__ == "__main__":
    main()
