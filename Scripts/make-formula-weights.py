#!/usr/bin/env python3
"""Writes weights for the five networks of the dfdc-silver recipe, computed from the tensors' names.

They are for trying out `dfkit predict` before trained weights exist: every score that they give is
MEANINGLESS, but it is the same on every machine. Needs numpy and nothing else.

usage: python3 Scripts/make-formula-weights.py FOLDER
       dfkit predict VIDEO --weights FOLDER --detector-weights RETINAFACE.pth
"""
import json
import math
import os
import struct
import sys

import numpy as np

# Stages of EfficientNet-B0 (Tan and Le 2019, table 1): blocks, kernel, expansion, channels.
STAGES = [
    (1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112), (4, 5, 6, 192),
    (1, 3, 6, 320),
]
SCALES = {"b4": (1.4, 1.8), "b5": (1.6, 2.2), "b6": (1.8, 2.6)}
MEMBERS = {
    "b6-200": ("b6", 200),
    "b5-224-faces3": ("b5", 224),
    "b5-224-faces6": ("b5", 224),
    "b6-224-val": ("b6", 224),
    "b4-224-aug": ("b4", 224),
}


def width(channels, factor):
    """Channels scaled and rounded to a multiple of 8, not down by more than a tenth."""
    scaled = channels * factor
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def shapes(variant):
    """Keys and shapes of timm's efficientnet_bN with group norm and one class."""
    wide, deep = SCALES[variant]

    def norm(name, channels):
        yield f"{name}.weight", (channels,)
        yield f"{name}.bias", (channels,)

    stem = width(32, wide)
    yield "conv_stem.weight", (stem, 3, 3, 3)
    yield from norm("bn1", stem)
    before = stem
    for s, (repeats, kernel, expansion, channels) in enumerate(STAGES):
        after = width(channels, wide)
        for i in range(math.ceil(repeats * deep)):
            block = f"blocks.{s}.{i}"
            inner = before * expansion
            if expansion > 1:
                yield f"{block}.conv_pw.weight", (inner, before, 1, 1)
                yield from norm(f"{block}.bn1", inner)
            yield f"{block}.conv_dw.weight", (inner, 1, kernel, kernel)
            yield from norm(f"{block}.bn2" if expansion > 1 else f"{block}.bn1", inner)
            reduced = int(before * 0.25)
            yield f"{block}.se.conv_reduce.weight", (reduced, inner, 1, 1)
            yield f"{block}.se.conv_reduce.bias", (reduced,)
            yield f"{block}.se.conv_expand.weight", (inner, reduced, 1, 1)
            yield f"{block}.se.conv_expand.bias", (inner,)
            last = "conv_pwl" if expansion > 1 else "conv_pw"
            yield f"{block}.{last}.weight", (after, inner, 1, 1)
            yield from norm(f"{block}.bn3" if expansion > 1 else f"{block}.bn2", after)
            before = after
    head = width(1280, wide)
    yield "conv_head.weight", (head, before, 1, 1)
    yield from norm("bn2", head)
    yield "classifier.weight", (1, head)
    yield "classifier.bias", (1,)


def uniform(name, count):
    """Values in [0, 1): SplitMix64 from FNV-1a of the name, the upper 24 bits."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def value(name, key, shape):
    u = uniform(name, math.prod(shape))
    if len(shape) >= 2:
        v = (u - 0.5) * 2 * math.sqrt(3 * 1.6 / math.prod(shape[1:]))
    elif key.endswith(".weight"):
        v = 0.75 + 0.5 * u
    else:
        v = (u - 0.5) * 0.2
    return v.astype("<f4").reshape(shape)


def write(path, tensors, metadata):
    header = {"__metadata__": metadata}
    offset = 0
    for key, tensor in tensors.items():
        header[key] = {
            "dtype": "F32", "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for member, (variant, size) in MEMBERS.items():
        # The member's name goes into the values, so that no two networks are the same.
        tensors = {key: value(f"{member}.{key}", key, shape) for key, shape in shapes(variant)}
        metadata = {
            "architecture": f"efficientnet-{variant}", "scheme": "timm", "norm": "group",
            "groups": "8", "size": str(size), "classes": "1",
            "note": "computed from names, not trained: its scores are meaningless",
        }
        path = os.path.join(folder, f"{member}.safetensors")
        write(path, tensors, metadata)
        print(f"{path}: {sum(t.size for t in tensors.values()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
