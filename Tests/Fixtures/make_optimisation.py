"""Makes optimisation.json: what PyTorch's optimisers, averages and schedules do, step by step.

    pip install torch numpy
    python make_optimisation.py optimisation.json

The problem: two parameters, `layer.weight` [3, 5] and `layer.bias` [4], that start at formula.py's
numbers 2 u - 1 of their names, and the loss of step t,
    sum over all elements of curvature / 2 * w^2 + (2 u_t - 1) * w,
curvature being 0.5 + u of "KEY:curvature" and u_t of "KEY:noise:t". Its gradient is written down at
once, so that an optimiser is tested without an engine. A trace holds both parameters, one after the
other, after every step.
"""
import json
import math
import sys

import numpy as np
import torch
from torch.optim import swa_utils

from formula import uniform

SHAPES = {"layer.weight": (3, 5), "layer.bias": (4,)}
STEPS = 8


def numbers(name, shape):
    return torch.from_numpy(uniform(name, int(np.prod(shape))).astype(np.float32).reshape(shape))


def loss(parameters, t):
    return sum(
        ((0.5 + numbers(f"{k}:curvature", SHAPES[k])) / 2 * p**2
         + (2 * numbers(f"{k}:noise:{t}", SHAPES[k]) - 1) * p).sum()
        for k, p in parameters.items())


def start():
    return {k: torch.nn.Parameter(2 * numbers(k, s) - 1) for k, s in SHAPES.items()}


def flat(parameters):
    return [v for p in parameters.values() for v in p.detach().reshape(-1).tolist()]


def trace(make, clip=None, decay_weights_only=None):
    parameters = start()
    groups = list(parameters.values())
    if decay_weights_only is not None:
        groups = [
            {"params": [parameters["layer.weight"]], "weight_decay": decay_weights_only},
            {"params": [parameters["layer.bias"]], "weight_decay": 0.0, "lr": 0.005}]
    optimiser = make(groups)
    values, norms = [], []
    for t in range(STEPS):
        optimiser.zero_grad()
        loss(parameters, t).backward()
        if clip is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(list(parameters.values()), clip).item())
        optimiser.step()
        values += flat(parameters)
    return {"values": values, "norms": norms}


def sharpness_aware(make, rho):
    """Foret et al. 2021, written out: up along the gradient, back, and a step by what was there."""
    parameters = start()
    optimiser = make(list(parameters.values()))
    values = []
    for t in range(STEPS):
        optimiser.zero_grad()
        loss(parameters, t).backward()
        with torch.no_grad():
            norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters.values()))
            here = {k: p.clone() for k, p in parameters.items()}
            for p in parameters.values():
                p += rho * p.grad / (norm + 1e-12)
        optimiser.zero_grad()
        loss(parameters, t).backward()
        with torch.no_grad():
            for k, p in parameters.items():
                p.copy_(here[k])
        optimiser.step()
        values += flat(parameters)
    return {"values": values, "norms": []}


class Problem(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Module()
        self.layer.weight = torch.nn.Parameter(2 * numbers("layer.weight", (3, 5)) - 1)
        self.layer.bias = torch.nn.Parameter(2 * numbers("layer.bias", (4,)) - 1)


def averaged(**settings):
    """The averages after each step of plain SGD."""
    model = Problem()
    average = swa_utils.AveragedModel(model, **settings)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    values = []
    for t in range(STEPS):
        optimiser.zero_grad()
        loss(dict(model.named_parameters()), t).backward()
        optimiser.step()
        average.update_parameters(model)
        values += flat(dict(average.module.named_parameters()))
    return {"values": values, "norms": []}


def traces():
    optim = torch.optim
    return {
        "sgd": trace(lambda p: optim.SGD(p, 0.1)),
        "sgd-decay": trace(lambda p: optim.SGD(p, 0.1, weight_decay=0.05)),
        "sgd-momentum": trace(lambda p: optim.SGD(p, 0.1, momentum=0.9)),
        "sgd-dampening": trace(
            lambda p: optim.SGD(p, 0.1, momentum=0.9, dampening=0.3, weight_decay=0.05)),
        "sgd-nesterov": trace(
            lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.05)),
        "adam": trace(lambda p: optim.Adam(p, 0.02)),
        "adam-decay": trace(
            lambda p: optim.Adam(p, 0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)),
        "adamw": trace(lambda p: optim.AdamW(p, 0.02, weight_decay=0.3)),
        "adamw-groups": trace(lambda p: optim.AdamW(p, 0.02), decay_weights_only=0.3),
        "sgd-clipped": trace(lambda p: optim.SGD(p, 0.1, momentum=0.9), clip=0.7),
        "adam-clipped": trace(lambda p: optim.Adam(p, 0.02), clip=1.5),
        "sam-sgd": sharpness_aware(lambda p: optim.SGD(p, 0.1, momentum=0.9), 0.3),
        "sam-adam": sharpness_aware(lambda p: optim.Adam(p, 0.02), 0.05),
        "ema": averaged(multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.8)),
        "swa": averaged(multi_avg_fn=swa_utils.get_swa_multi_avg_fn()),
    }


def network_statistics():
    """Running statistics of a batch norm behind a 1x1 convolution after `update_bn`."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 1, bias=False), torch.nn.BatchNorm2d(4), torch.nn.SiLU(),
        torch.nn.Conv2d(4, 2, 1, bias=False), torch.nn.BatchNorm2d(2))
    with torch.no_grad():
        for k, p in network.named_parameters():
            p.copy_(2 * numbers(k, p.shape) - 0.5)
    batches = [
        torch.from_numpy(
            ((uniform(f"statistics:{i}", n * 48) - 0.5) * 4).astype(np.float32).reshape(n, 4, 4, 3)
        ).permute(0, 3, 1, 2) for i, n in enumerate([5, 5, 2])]
    swa_utils.update_bn(batches, network)
    return {k: v.tolist() for k, v in network.named_buffers() if "running" in k}


def rates(make, steps, rate=0.1, metrics=None):
    """The rate of each step: before the first, and after each call of step()."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], rate)
    schedule = make(optimiser)
    values = [optimiser.param_groups[0]["lr"]]
    for t in range(steps):
        optimiser.step()
        schedule.step(*([] if metrics is None else [metrics[t]]))
        values.append(optimiser.param_groups[0]["lr"])
    return values


def warmed_cosine(optimiser):
    s = torch.optim.lr_scheduler
    return s.SequentialLR(optimiser, [
        s.LinearLR(optimiser, start_factor=0.1, total_iters=5),
        s.CosineAnnealingLR(optimiser, T_max=25, eta_min=0.002)], milestones=[5])


def schedules():
    s = torch.optim.lr_scheduler
    plateau = s.ReduceLROnPlateau
    falling = [float(f"{0.7 * 0.9**t + 0.3 * u:.6g}") for t, u in
               enumerate(uniform("plateau:falling", 40))]
    flat = [0.5] * 6 + [0.49996, 0.49992, 0.4998, 0.4] + [0.4] * 30
    with_nan = [0.5, 0.4, math.nan, math.nan, math.nan, 0.39, 0.41, 0.42, 0.43, 0.44]
    cases = {
        "constant": ({}, rates(lambda o: s.LambdaLR(o, lambda t: 1), 6)),
        "step": ({}, rates(lambda o: s.StepLR(o, 3, gamma=0.4), 20)),
        "milestones": ({}, rates(lambda o: s.MultiStepLR(o, [4, 6, 13], gamma=0.5), 20)),
        "poly": ({}, rates(lambda o: s.PolynomialLR(o, 15, power=0.9), 20)),
        "cosine": ({}, rates(lambda o: s.CosineAnnealingLR(o, 20, eta_min=0.001), 20)),
        "cosine-warm": ({}, rates(warmed_cosine, 30)),
    }
    observed = {
        "silver": ({"patience": 2, "factor": 0.5}, falling),
        "flat": ({"patience": 2, "factor": 0.5}, flat),
        "nan": ({"patience": 2, "factor": 0.5}, with_nan),
        "max": ({"mode": "max", "patience": 1, "factor": 0.3}, [1 - v for v in falling]),
        "absolute": ({"patience": 1, "factor": 0.5, "threshold": 0.02, "threshold_mode": "abs"},
                     falling),
        "absolute-max": ({"mode": "max", "patience": 1, "factor": 0.5, "threshold": 0.02,
                          "threshold_mode": "abs"}, [1 - v for v in falling]),
        "cooldown": ({"patience": 1, "factor": 0.5, "cooldown": 3}, flat),
        "minimum": ({"patience": 0, "factor": 0.1, "min_lr": 0.0004}, flat),
        "eps": ({"patience": 0, "factor": 0.1, "eps": 1e-4}, flat),
        "negative": ({"patience": 1, "factor": 0.5, "threshold": 0.1}, [v - 1 for v in falling]),
    }
    for name, (settings, values) in observed.items():
        cases[f"plateau-{name}"] = (
            {"settings": settings, "metrics": [None if math.isnan(v) else v for v in values]},
            rates(lambda o: plateau(o, **settings), len(values), metrics=values))
    return {name: {**settings, "rates": values} for name, (settings, values) in cases.items()}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def main():
    tables = {
        "traces": traces(), "statistics": network_statistics(), "schedules": schedules()}
    with open(sys.argv[1], "w") as file:
        parts = []
        for name, table in tables.items():
            rows = ",\n  ".join(f'"{k}": {json.dumps(rounded(v))}' for k, v in table.items())
            parts.append(f'"{name}": {{\n  {rows}}}')
        file.write("{" + ",\n ".join(parts) + "}\n")


if __name__ == "__main__":
    main()
