#!/usr/bin/env python3
"""What ONNX Runtime and PyTorch take for the networks that `dfkit bench` times.

    pip install torch timm onnx onnxruntime
    python3 Scripts/peers/networks.py classify efficientnet_b4:group:224:8 legacy_xception:batch:299:1
    python3 Scripts/peers/networks.py detect mobilenet0.25:960x544 --onnx retinaface-mobilenet0.25.onnx
    python3 Scripts/peers/networks.py detect resnet50:640x360

A classifier is MODEL:NORM:SIZE:BATCH, as timm builds MODEL; with `group`, each batch norm is made a group
norm of 8 groups (or of as many as divide the channels), as dfkit has it. A detector is BACKBONE:WxH, one
frame; mobilenet0.25 is read from the published ONNX file, resnet50 is built here. Weights are random but
for that file: no network's time depends on them.

Weights that dfkit can read are written beside the graphs with --export-only --safetensors. timm's ResNets begin with
scales of 0 in each block's last norm, which would make most folded weights zeros: all such scales are drawn at random.

Each figure is milliseconds an image, of the network alone on a prepared tensor, after a warm-up of --warm-up runs:
all of --repeats runs, as JSON lines. ONNX Runtime has all its optimisations on. Graphs are kept in --cache
between calls, since exporting them takes longer than timing them.

`serve` reads lines "WORK NETWORK ENGINE,ENGINE,..." from standard input and answers each with a line, so that a
comparison need not load the libraries for each network.
"""
import argparse
import hashlib
import json
import os
import sys
import tempfile
import time

ENGINES = ("onnxruntime", "pytorch", "pytorch-channels-last")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=("classify", "detect", "serve"))
    parser.add_argument("networks", nargs="*", help="MODEL:NORM:SIZE:BATCH, or BACKBONE:WxH")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="all if not given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0,
                        help="repeat for at least so long, too")
    parser.add_argument("--onnx", help="RetinaFace mobilenet0.25 with free height and width")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "peer-networks"),
                        help="the folder for exported graphs")
    parser.add_argument("--export-only", action="store_true", help="fill the cache, time nothing")
    parser.add_argument("--safetensors", action="store_true",
                        help="with --export-only: write classifiers' weights for dfkit, too;"
                        " else: let PyTorch read them")
    return parser.parse_args()


OPTIONS = arguments()
# Read by the libraries when they are loaded.
os.environ["OMP_NUM_THREADS"] = str(OPTIONS.threads)
os.environ["MKL_NUM_THREADS"] = str(OPTIONS.threads)

import numpy as np
import onnxruntime

# PyTorch takes seconds to load, which ONNX Runtime with a filled cache does not need.
_torch = None


def torch():
    global _torch
    if _torch is None:
        import torch as module
        module.set_num_threads(OPTIONS.threads)
        module.set_grad_enabled(False)
        module.manual_seed(0)
        _torch = module
    return _torch


# ---- Networks -----------------------------------------------------------------------------------


def classifier(model, norm):
    import timm
    torch()
    network = timm.create_model(model, num_classes=1, pretrained=False)
    for name, parameter in network.named_parameters():
        if name.endswith("weight") and not parameter.any():
            torch().nn.init.uniform_(parameter, 0.2, 0.4)
    if norm == "group":
        from group_norm import with_group_norm
        with_group_norm(network)
    elif norm != "batch":
        sys.exit(f"networks.py: {norm} is not a norm: batch or group")
    return network.eval()


def weights_path(spec):
    return os.path.join(OPTIONS.cache, spec.replace(":", "-") + ".safetensors")


def classifier_from_weights(spec, model):
    """The network with the weights in the cache, without making others first."""
    import timm
    from safetensors.torch import load_file
    with torch().device("meta"):
        network = timm.create_model(model, num_classes=1, pretrained=False)
    network.load_state_dict(load_file(weights_path(spec)), assign=True)
    return network.eval()


def retinaface_resnet50():
    """RetinaFace over ResNet-50 with a pyramid of 256 channels (Deng et al. 2019, He et al. 2016)."""
    nn = torch().nn

    def block(inputs, outputs, kernel=1, stride=1, relu=True):
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs)]
        return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)

    class Bottleneck(nn.Module):
        def __init__(self, inputs, width, stride):
            super().__init__()
            self.path = nn.Sequential(
                block(inputs, width), block(width, width, 3, stride),
                block(width, 4 * width, relu=False))
            same = stride == 1 and inputs == 4 * width
            self.skip = nn.Identity() if same else block(inputs, 4 * width, 1, stride, relu=False)

        def forward(self, x):
            return torch().relu(self.path(x) + self.skip(x))

    class Context(nn.Module):
        def __init__(self, channels):
            super().__init__()
            half, quarter = channels // 2, channels // 4
            self.near = block(channels, half, 3, relu=False)
            self.shared = block(channels, quarter, 3)
            self.middle = block(quarter, quarter, 3, relu=False)
            self.far = block(quarter, quarter, 3)
            self.farther = block(quarter, quarter, 3, relu=False)

        def forward(self, x):
            shared = self.shared(x)
            parts = [self.near(x), self.middle(shared), self.farther(self.far(shared))]
            return torch().relu(torch().cat(parts, 1))

    class RetinaFace(nn.Module):
        def __init__(self, channels=256, anchors=2):
            super().__init__()
            self.stem = nn.Sequential(block(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
            self.layers = nn.ModuleList()
            inputs = 64
            for width, count, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
                blocks = []
                for index in range(count):
                    blocks.append(Bottleneck(inputs, width, stride if index == 0 else 1))
                    inputs = 4 * width
                self.layers.append(nn.Sequential(*blocks))
            self.laterals = nn.ModuleList(block(n, channels) for n in (512, 1024, 2048))
            self.merges = nn.ModuleList(block(channels, channels, 3) for _ in range(2))
            self.contexts = nn.ModuleList(Context(channels) for _ in range(3))
            self.heads = nn.ModuleList(
                nn.ModuleList(nn.Conv2d(channels, anchors * n, 1) for n in (4, 2, 10))
                for _ in range(3))

        def forward(self, x):
            maps = []
            x = self.stem(x)
            for layer in self.layers:
                x = layer(x)
                maps.append(x)
            maps = [lateral(x) for lateral, x in zip(self.laterals, maps[1:])]
            for level in (1, 0):
                coarse = nn.functional.interpolate(
                    maps[level + 1], size=maps[level].shape[2:], mode="nearest")
                maps[level] = self.merges[level](maps[level] + coarse)
            maps = [context(x) for context, x in zip(self.contexts, maps)]
            outputs = []
            for kind, numbers in enumerate((4, 2, 10)):
                levels = [
                    heads[kind](x).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, numbers))
                    for heads, x in zip(self.heads, maps)]
                outputs.append(torch().cat(levels, 1))
            return outputs[0], outputs[1].softmax(-1), outputs[2]

    torch()
    return RetinaFace().eval()


# ---- Timing -------------------------------------------------------------------------------------


def milliseconds(run, images):
    for _ in range(OPTIONS.warm_up):
        run()
    times, started = [], time.perf_counter()
    while len(times) < OPTIONS.repeats or time.perf_counter() - started < OPTIONS.seconds:
        before = time.perf_counter()
        run()
        times.append(round((time.perf_counter() - before) * 1000 / images, 4))
    return times


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = OPTIONS.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def exported(name, build, shape):
    """The network's graph in the cache."""
    os.makedirs(OPTIONS.cache, exist_ok=True)
    digest = hashlib.sha256(open(__file__, "rb").read()).hexdigest()[:8]
    path = os.path.join(OPTIONS.cache, f"{name.replace(':', '-')}-{digest}.onnx")
    weights = weights_path(name)
    wants_weights = OPTIONS.safetensors and OPTIONS.export_only and not os.path.exists(weights)
    if not os.path.exists(path) or wants_weights:
        network, partial = build(), path + ".part"
        torch().onnx.export(
            network, torch().randn(*shape), partial, dynamo=False, input_names=["x"],
            opset_version=18)
        os.replace(partial, path)
        if wants_weights:
            from safetensors.torch import save_file
            save_file(network.state_dict(), weights + ".part")
            os.replace(weights + ".part", weights)
    return path


def measure(work, spec, build, shape, engines, graph=None):
    engines = engines or (ENGINES if build else ENGINES[:1])
    results = {}
    if OPTIONS.export_only:
        exported(spec, build, shape)
        return
    if "onnxruntime" in engines:
        network = session(graph or exported(spec, build, shape))
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        inputs = {network.get_inputs()[0].name: x}
        results["onnxruntime"] = milliseconds(lambda: network.run(None, inputs), shape[0])
        del network
    plain = [engine for engine in engines if engine != "onnxruntime"]
    if plain and not build:
        sys.exit("networks.py: PyTorch's mobilenet0.25 is not here; give --engine onnxruntime")
    if plain:
        network = build()
        x = torch().randn(*shape)
        for engine in plain:
            last = engine == "pytorch-channels-last"
            form = torch().channels_last if last else torch().contiguous_format
            network.to(memory_format=form)
            inputs = x.to(memory_format=form)
            with torch().inference_mode():
                results[engine] = milliseconds(lambda: network(inputs), shape[0])
    print(json.dumps({
        "work": work, "network": spec, "threads": OPTIONS.threads,
        "millisecondsPerImage": results}), flush=True)


def measure_named(work, spec, engines):
    try:
        if work == "classify":
            model, norm, size, batch = spec.split(":")
            shape = (int(batch), 3, int(size), int(size))
        else:
            backbone, size = spec.split(":")
            width, height = map(int, size.split("x"))
            shape = (1, 3, height, width)
    except ValueError:
        sys.exit(f"networks.py: {spec} is not MODEL:NORM:SIZE:BATCH, or BACKBONE:WxH")
    if work == "classify":
        reads = OPTIONS.safetensors and not OPTIONS.export_only
        measure(
            work, spec,
            lambda: classifier_from_weights(spec, model) if reads else classifier(model, norm),
            shape, engines)
    elif backbone == "resnet50":
        measure(work, spec, retinaface_resnet50, shape, engines)
    elif backbone == "mobilenet0.25":
        if not OPTIONS.onnx:
            sys.exit("networks.py: mobilenet0.25 needs --onnx FILE")
        measure(work, spec, None, shape, engines, graph=OPTIONS.onnx)
    else:
        sys.exit(f"networks.py: {backbone} is neither mobilenet0.25 nor resnet50")


def main():
    if OPTIONS.work != "serve":
        for spec in OPTIONS.networks:
            measure_named(OPTIONS.work, spec, OPTIONS.engine)
        return
    for line in sys.stdin:
        work, spec, engines = line.split()
        measure_named(work, spec, engines.split(","))


main()
