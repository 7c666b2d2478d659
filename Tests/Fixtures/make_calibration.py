"""Writes calibration.json: calibrations as scikit-learn and SciPy find them, calibration errors and intervals as
NumPy, scikit-learn and statsmodels' formulas give them.

    pip install numpy scipy scikit-learn
    python make_calibration.py

Logits are formula.py's numbers, shifted apart by label; weights are 0.5 to 2.
"""
import json
import pathlib

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from formula import uniform


def data(name, count, distance, spread, offset):
    u = np.asarray(uniform(f"{name}.logit", count), dtype=np.float64)
    labels = (np.asarray(uniform(f"{name}.label", count)) < 0.4).astype(int)
    logits = (u - 0.5) * spread + labels * distance + offset
    weights = 0.5 + 1.5 * np.asarray(uniform(f"{name}.weight", count), dtype=np.float64)
    return logits.round(6), labels, weights.round(6)


def loss(point, logits, targets, weights):
    a, b = point
    z = a * logits + b
    return np.sum(weights * (np.logaddexp(0, z) - targets * z)) / np.sum(weights)


def minimum(logits, targets, weights, has_offset):
    def function(point):
        return loss((point[0], point[1] if has_offset else 0.0), logits, targets, weights)

    best = minimize(function, [1.0, 0.0] if has_offset else [1.0], method="Nelder-Mead",
                    options={"xatol": 1e-13, "fatol": 1e-16, "maxiter": 20000, "maxfev": 20000})
    # Polished by Newton's method, with numerical precision that Nelder-Mead does not have.
    point = np.array([best.x[0], best.x[1] if has_offset else 0.0])
    for _ in range(50):
        p = expit(point[0] * logits + point[1])
        error, curvature = weights * (p - targets), weights * p * (1 - p)
        gradient = np.array([np.sum(error * logits), np.sum(error)])
        hessian = np.array([[np.sum(curvature * logits**2), np.sum(curvature * logits)],
                            [np.sum(curvature * logits), np.sum(curvature)]])
        if has_offset:
            point -= np.linalg.solve(hessian, gradient)
        else:
            point[0] -= gradient[0] / hessian[0, 0]
    return point


def fits():
    cases = []
    for name, count, distance, spread, offset in [
        ("plain", 200, 1.5, 6.0, 0.3), ("overconfident", 300, 20.0, 90.0, -12.0),
        ("timid", 150, 0.01, 0.08, 0.002), ("far", 120, 2.0, 5.0, 900.0),
    ]:
        logits, labels, weights = data(name, count, distance, spread, offset)
        # scikit-learn's own solver stops early where logits lie far from zero: it sees them centred.
        center = np.average(logits, weights=weights)
        scale = logits.std()
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000)
        model.fit(((logits - center) / scale)[:, None], labels, sample_weight=weights)
        a = model.coef_[0, 0] / scale
        platt = [a, model.intercept_[0] - a * center]
        fakes, reals = weights[labels == 1].sum(), weights[labels == 0].sum()
        targets = np.where(labels == 1, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
        case = {"name": name, "logits": logits.tolist(), "labels": labels.tolist(),
                "weights": weights.tolist(), "platt": platt}
        if name != "far":
            case["smoothed"] = minimum(logits, targets, weights, True).tolist()
            case["temperature"] = float(minimum(logits, labels, weights, False)[0])
        cases.append(case)
    return cases


def wilson(share, count):
    z = norm.ppf(0.975)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return [max(0.0, middle - half), min(1.0, middle + half)]


def scores():
    logits, labels, weights = data("plain", 200, 1.5, 6.0, 0.3)
    p = expit(logits)
    error = 0.0
    for k in range(15):
        inside = (np.minimum((p * 15).astype(int), 14)) == k
        if inside.any():
            share = np.average(labels[inside], weights=weights[inside])
            error += weights[inside].sum() * abs(np.average(p[inside], weights=weights[inside]) - share)
    quantile = calibration_curve(labels, p, n_bins=10, strategy="quantile")
    uniform_bins = calibration_curve(labels, p, n_bins=10, strategy="uniform")
    return {
        "calibrationError": float(error / weights.sum()),
        "equalCount": {"shares": quantile[0].tolist(), "probabilities": quantile[1].tolist()},
        "equalWidth": {"shares": uniform_bins[0].tolist(), "probabilities": uniform_bins[1].tolist()},
        "wilson": [{"share": s, "count": n, "interval": wilson(s, n)}
                   for s, n in [(0.0, 4), (1.0, 10), (0.5, 1), (0.3, 20), (0.95, 333.3)]],
    }


golden = {"fits": fits(), "scores": scores()}
path = pathlib.Path(__file__).with_name("calibration.json")
path.write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")
