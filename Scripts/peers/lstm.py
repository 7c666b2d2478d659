#!/usr/bin/env python3
"""What ONNX Runtime and PyTorch take for the LSTM that `dfkit bench lstm` times.

    pip install torch onnx onnxruntime
    python3 Scripts/peers/lstm.py --features 2304 --hidden 512 --levels 2 --steps 25 --batch 1

Weights and input are random: the time does not depend on them. Milliseconds a sequence of all runs that count,
after a warm-up, as JSON. ONNX Runtime has all its optimisations on.
"""
import argparse
import json
import os
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--features", type=int, default=2304)
parser.add_argument("--hidden", type=int, default=512)
parser.add_argument("--levels", type=int, default=2)
parser.add_argument("--steps", type=int, default=25)
parser.add_argument("--one-direction", action="store_true")
parser.add_argument("--batch", type=int, action="append", help="1 if not given; may be given several times")
parser.add_argument("--engine", action="append", choices=("onnxruntime", "pytorch"), help="both if not given")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--warm-up", type=int, default=2)
parser.add_argument("--repeats", type=int, default=10)
options = parser.parse_args()
# Read by the libraries when they are loaded.
os.environ["OMP_NUM_THREADS"] = str(options.threads)
os.environ["MKL_NUM_THREADS"] = str(options.threads)

import onnxruntime
import torch

torch.set_num_threads(options.threads)
torch.manual_seed(0)


def milliseconds(run, sequences):
    for _ in range(options.warm_up):
        run()
    times = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        run()
        times.append(round((time.perf_counter() - started) * 1000 / sequences, 4))
    return times


def session(network, x):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "lstm.onnx")
        torch.onnx.export(network, (x,), path, dynamo=False, opset_version=17, input_names=["x"])
        return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


network = torch.nn.LSTM(
    options.features, options.hidden, options.levels, batch_first=True,
    bidirectional=not options.one_direction).eval()
for batch in options.batch or [1]:
    x = torch.rand(batch, options.steps, options.features) * 2 - 1
    results = {}
    for engine in options.engine or ("onnxruntime", "pytorch"):
        if engine == "onnxruntime":
            graph, inputs = session(network, x), {"x": x.numpy()}
            results[engine] = milliseconds(lambda: graph.run(None, inputs), batch)
        else:
            with torch.inference_mode():
                results[engine] = milliseconds(lambda: network(x), batch)
    both = "" if options.one_direction else "-both"
    print(json.dumps({
        "work": "lstm", "network": f"lstm-{options.hidden}x{options.levels}{both}",
        "size": f"{options.steps}x{options.features}", "batch": batch, "threads": options.threads,
        "millisecondsPerImage": results}), flush=True)
