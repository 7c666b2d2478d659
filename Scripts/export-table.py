#!/usr/bin/env python3
"""`dfkit export` of every classifier beside the export of the same network by PyTorch.

    pip install torch timm onnx onnxruntime onnxscript
    python3 Scripts/export-table.py
    python3 Scripts/export-table.py efficientnet_b4:group:224 legacy_xception:batch:299

A network is MODEL:NORM:SIZE as timm builds MODEL, with random weights; with `group`, each batch norm is made a group
norm of 8 groups (or of as many as divide the channels), as dfkit has it. dfkit reads the checkpoint and writes an ONNX
file; PyTorch writes another of the same network. Both run in ONNX Runtime with all its optimisations, in turns.

The table has the largest difference of dfkit's file in ONNX Runtime to dfkit itself (`dfkit export --check`) and to
PyTorch, and of PyTorch's file, in which the names of layers are lost, read by dfkit and written again, to PyTorch; and
the median time an image of the first two files.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"b0": 224, "b1": 240, "b2": 260, "b3": 300, "b4": 380, "b5": 456, "b6": 528, "b7": 600, "b8": 672,
         "lite0": 224, "lite1": 240, "lite2": 260, "lite3": 280, "lite4": 300}
ALL = [f"efficientnet_{name}:{norm}:{size}" for name, size in SIZES.items() for norm in ("batch", "group")]
ALL += [f"efficientnet_{name}:group:{size}" for name, size in (("b4", 224), ("b5", 224), ("b6", 200), ("b6", 224))]
ALL += ["legacy_xception:batch:299", "legacy_xception:group:299"]
ALL += [f"{name}:{norm}:224" for name in ("resnet50", "resnext50_32x4d", "resnext101_32x8d")
        for norm in ("batch", "group")]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("networks", nargs="*", default=ALL, help="MODEL:NORM:SIZE; all if not given")
parser.add_argument("--dfkit", default=os.path.join(os.path.dirname(HERE), ".build", "release", "dfkit"))
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repeats", type=int, default=15)
parser.add_argument("--without-times", action="store_true")
OPTIONS = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(OPTIONS.threads)
warnings.filterwarnings("ignore")

import numpy as np
import onnxruntime
import timm
import torch

sys.path.insert(0, os.path.join(HERE, "peers"))
from group_norm import with_group_norm

torch.manual_seed(0)
torch.set_grad_enabled(False)


def network(model, norm):
    made = timm.create_model(model, num_classes=1, pretrained=False)
    made = (with_group_norm(made) if norm == "group" else made).eval()
    # Norms that do something: a new network's have mean 0, variance 1, scale 1 and shift 0.
    for module in made.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.GroupNorm)):
            module.weight.uniform_(0.8, 1.2)
            module.bias.uniform_(-0.1, 0.1)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.8, 1.2)
    return made


def give_size_one(made, images):
    """Scales the last layer so that logits are about 1: a difference to logits near 0 says nothing."""
    head = made.get_classifier()
    head.bias.zero_()
    head.weight.div_(made(images).abs().max())


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = OPTIONS.threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(network_session, images):
    return network_session.run(None, {network_session.get_inputs()[0].name: images})[0]


def times(sessions, images):
    """Median milliseconds an image of each session; they take turns."""
    taken = [[] for _ in sessions]
    for one in sessions:
        run(one, images)
    for _ in range(OPTIONS.repeats):
        for one, list_of_times in zip(sessions, taken):
            before = time.perf_counter()
            run(one, images)
            list_of_times.append((time.perf_counter() - before) * 1000 / len(images))
    return [statistics.median(each) for each in taken]


def export(weights, output, *options):
    """What dfkit says of the file that it writes."""
    command = [OPTIONS.dfkit, "export", "--weights", weights, "--output", output, "--check", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    # A difference that is too large also ends with 1, and belongs into the table.
    if not done.stdout:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)[0]


def row(name, folder):
    model, norm, size = name.split(":")
    made = network(model, norm)
    images = np.random.default_rng(0).uniform(-2, 2, (1, 3, int(size), int(size))).astype(np.float32)
    give_size_one(made, torch.empty(4, *images.shape[1:]).uniform_(-2, 2))
    state = {re.sub(r"(bn\d)\.0\.", r"\1.", key): value for key, value in made.state_dict().items()}
    paths = [os.path.join(folder, file) for file in ("weights.pth", "dfkit.onnx", "pytorch.onnx")]
    torch.save(state, paths[0])
    report = export(paths[0], paths[1], "--size", size)
    torch.onnx.export(
        made, torch.from_numpy(images), paths[2], opset_version=17, dynamo=False, input_names=["input"],
        output_names=["logits"], dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}})
    again = os.path.join(folder, "again.onnx")
    export(paths[2], again)
    sessions = [session(path) for path in paths[1:]]
    expected = made(torch.from_numpy(images)).numpy()
    scale = max(1, np.abs(expected).max())
    differences = [np.abs(run(one, images) - expected).max() / scale for one in (sessions[0], session(again))]
    cells = [model.replace("efficientnet_", "").replace("legacy_", ""), norm, size,
             f"{report['check']['difference']:.1e}"] + [f"{difference:.1e}" for difference in differences]
    if not OPTIONS.without_times:
        ours, theirs = times(sessions, images)
        cells += [f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}"]
    return cells


def main():
    heads = ["network", "norm", "size", "to dfkit", "to PyTorch", "read from PyTorch's file"]
    if not OPTIONS.without_times:
        heads += ["ms, dfkit's file", "ms, PyTorch's file", "ratio"]
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for name in OPTIONS.networks:
        with tempfile.TemporaryDirectory() as folder:
            print("| " + " | ".join(row(name, folder)) + " |", flush=True)


main()
