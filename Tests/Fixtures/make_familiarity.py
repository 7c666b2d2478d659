"""Makes familiarity.json: distances of features to class means by numpy, and measures of a picture.

The covariance is checked against scikit-learn's within-class one (LinearDiscriminantAnalysis).

    pip install numpy scikit-learn
    python make_familiarity.py familiarity.json
"""
import json
import sys

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from formula import uniform

SHRINKAGE = 0.01
# Name, faces, features, dimensions kept.
CASES = [("some", 80, 12, 4), ("all", 40, 6, 6), ("few", 26, 30, 16)]


def features(name, count, width):
    """Sums of uniform values, mixed so that directions differ, in Float32; every third face is fake and shifted."""
    u = uniform(f"features:{name}", count * width * 3).reshape(count, width, 3).sum(axis=2) - 1.5
    mixing = uniform(f"mixing:{name}", width * width).reshape(width, width) - 0.3
    x = u @ mixing
    fake = np.arange(count) % 3 == 0
    x[fake] += 0.5 * uniform(f"shift:{name}", width)
    return x.astype(np.float32).astype(np.float64), fake


def case(name, count, width, dimensions):
    x, fake = features(name, count, width)
    means = [x[~fake].mean(axis=0), x[fake].mean(axis=0)]
    centered = x - np.where(fake[:, None], means[1], means[0])
    covariance = centered.T @ centered / (count - 2)
    model = LinearDiscriminantAnalysis(solver="lsqr", store_covariance=True).fit(x, fake)
    assert np.allclose(model.covariance_ * count / (count - 2), covariance)
    average = np.trace(covariance) / width
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(-values)[:dimensions]
    kept = vectors[:, order].T
    variance = (1 - SHRINKAGE) * values[order] + SHRINKAGE * average
    center = (means[0] + means[1]) / 2
    inverse = kept.T @ np.diag(1 / variance) @ kept

    def residual(points):
        y = points - center
        return (y**2).sum(axis=-1) - ((y @ kept.T) ** 2).sum(axis=-1)

    mean_residual = max(residual(x).mean(), 1e-6 * average * width)
    points = np.concatenate([x[:5], 3 * x[5:8], np.full((1, width), 2.0)])
    mahalanobis = np.min(
        [np.einsum("ni,ij,nj->n", points - m, inverse, points - m) for m in means], axis=0) / dimensions
    return {
        "name": name, "dimensions": dimensions, "features": x.tolist(), "isFake": fake.tolist(),
        "points": points.tolist(), "mahalanobis": mahalanobis.tolist(),
        "residual": (residual(points) / mean_residual).tolist()}


def picture():
    width, height = 40, 30
    pixels = (uniform("picture", width * height * 3) * 90 + 60).astype(np.uint8)
    rgb = pixels.reshape(height, width, 3).astype(np.float64)
    luma = rgb @ [0.299, 0.587, 0.114]
    inner = luma[1:-1, 1:-1]
    around = np.stack([luma[:-2, 1:-1], luma[2:, 1:-1], luma[1:-1, :-2], luma[1:-1, 2:]])
    laplacian = 4 * inner - around.sum(axis=0)
    chroma = np.hypot(0.564 * (rgb[..., 2] - luma), 0.713 * (rgb[..., 0] - luma))
    speckle = (inner - around.max(axis=0) > 4) | (around.min(axis=0) - inner > 4)
    grid = (2 * np.arange(8) + 1)
    sampled = rgb[grid * height // 16][:, grid * width // 16].reshape(-1, 3)
    return {
        "width": width, "height": height, "sharpness": laplacian.var(), "chroma": chroma.mean(),
        "speckle": speckle.mean(), "colors": len(np.unique(sampled, axis=0))}


def main():
    with open(sys.argv[1], "w") as file:
        json.dump({"cases": [case(*c) for c in CASES], "picture": picture()}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
