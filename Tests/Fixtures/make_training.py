"""Makes training.json: what PyTorch computes when it trains EfficientNet-B0, from weights and images
that are computed from names (formula.py), so that nothing large is stored.

    pip install torch timm numpy
    python make_training.py training.json

Batch 8 at 64 pixels, one logit, binary cross-entropy with labels smoothed by 0.1, no dropout, no
stochastic depth, Adam. Each run holds the losses of the first steps as Float32 gives them and, of the
first step, what Float64 gives: for each parameter (timm's key, PyTorch's layout) the gradient's norm,
up to 4 of its elements and 8 projections on random signs: bit k of an element's 24-bit number under
the name "signs:KEY" tells whether it is added to projection k or taken off. The mean square of the
projections of a difference is the square of the difference's norm, give or take. Batch norm's running
statistics after the first step are there as up to 8 elements each.

Gradients are those of Float64 because some are nothing but rounding: with batch norm, a shift at the
end of a block's main path is taken off again by the next norm, so the gradient by it is 0. There,
PyTorch's own Float32 answers are further apart than the tests allow.

Beside each run stands how far PyTorch's Float32 answers lie from those with channels_last maps, and
from those in Float64: the difference of each loss, the largest of a gradient as a part of
max(its norm, 1e-4 x the largest norm) and whose it is, and the largest of a running statistic as a
part of max(1, itself).
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

import formula
from make_networks import image, use_group_norm

BATCH, SIZE, SMOOTHING = 8, 64, 0.1
# name, groups (0: batch norm), learning rate, steps
RUNS = [
    ("batch", 0, 1e-3, 3),
    ("group", 8, 1e-3, 3),
    ("group-slow", 8, 1e-4, 20),
]


def stepped(values, count):
    """Every n-th element, `count` at most."""
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // count)][:count].tolist()


def projections(key, gradient):
    bits = (formula.uniform(f"signs:{key}", gradient.size) * 2**24).astype(np.int64)
    flat = gradient.reshape(-1).astype(np.float64)
    return [float(np.where(bits >> k & 1, flat, -flat).sum()) for k in range(8)]


def train(groups, rate, steps, kind, memory):
    """Losses, and the first step's gradients and running statistics, in this element type and
    memory format."""
    import timm
    network = timm.create_model("efficientnet_b0", num_classes=1, drop_rate=0.0, drop_path_rate=0.0)
    if groups:
        use_group_norm(network, groups)
    network.load_state_dict({
        key: torch.from_numpy(formula.values(key, tuple(v.shape), 0.5)).to(v.dtype)
        for key, v in network.state_dict().items()})
    network = network.train().to(kind).to(memory_format=memory)
    x = image("training:images", BATCH, SIZE).to(kind).contiguous(memory_format=memory)
    labels = (torch.arange(BATCH) % 2).to(kind).reshape(-1, 1)
    targets = labels * (1 - SMOOTHING) + SMOOTHING / 2
    adam = torch.optim.Adam(network.parameters(), rate)
    losses, gradients, statistics = [], {}, {}
    for step in range(steps):
        adam.zero_grad()
        loss = F.binary_cross_entropy_with_logits(network(x), targets)
        loss.backward()
        if step == 0:
            gradients = {k: p.grad.contiguous().numpy().copy() for k, p in network.named_parameters()}
            statistics = {k: b.numpy().copy() for k, b in network.named_buffers() if "running" in k}
        adam.step()
        losses.append(loss.item())
    return losses, gradients, statistics


def distance(run, other):
    (losses, gradients, statistics), (losses2, gradients2, statistics2) = run, other
    norm = lambda g: float(np.linalg.norm(g.astype(np.float64)))
    most = max(norm(g) for g in gradients.values())
    ratio = {
        k: norm(g.astype(np.float64) - gradients2[k]) / max(norm(g), 1e-4 * most)
        for k, g in gradients.items()}
    return {
        "losses": [abs(a - b) for a, b in zip(losses, losses2)],
        "gradient": max(ratio.values()),
        "worst": max(ratio, key=ratio.get),
        "statistic": max(
            (float((np.abs(s - statistics2[k]) / np.maximum(1, np.abs(s))).max())
             for k, s in statistics.items()), default=0),
    }


def rounded(value, digits=7):
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, list):
        return [rounded(v, digits) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v, digits) for k, v in value.items()}
    return value


def main():
    runs = []
    for name, groups, rate, steps in RUNS:
        run = train(groups, rate, steps, torch.float32, torch.contiguous_format)
        last = train(groups, rate, steps, torch.float32, torch.channels_last)
        double = train(groups, rate, steps, torch.float64, torch.contiguous_format)
        losses, (_, gradients, statistics) = run[0], double
        entry = {
            "name": name, "groups": groups, "rate": rate, "losses": losses,
            "channelsLastDistance": rounded(distance(run, last), 3),
            "float64Distance": rounded(distance(run, double), 3)}
        print(name, losses, "\n  channels last", entry["channelsLastDistance"],
              "\n  Float64", entry["float64Distance"], flush=True)
        if name != "group-slow":  # its first step is that of "group"
            entry["gradients"] = {
                k: {"norm": float(np.linalg.norm(g.astype(np.float64))), "some": stepped(g, 4),
                    "projections": projections(k, g)}
                for k, g in gradients.items()}
            entry["statistics"] = {k: stepped(s, 8) for k, s in statistics.items()}
        runs.append(rounded(entry))
    with open(sys.argv[1], "w") as file:
        lines = []
        for run in runs:
            parts = [f'"{k}": {json.dumps(v)}' for k, v in run.items() if not isinstance(v, dict)]
            for k, table in run.items():
                if isinstance(table, dict):
                    rows = ",\n   ".join(f'"{key}": {json.dumps(v)}' for key, v in table.items())
                    parts.append(f'"{k}": {{\n   {rows}}}' if rows else f'"{k}": {{}}')
            lines.append("{" + ",\n  ".join(parts) + "}")
        file.write("[" + ",\n ".join(lines) + "]\n")


if __name__ == "__main__":
    main()
