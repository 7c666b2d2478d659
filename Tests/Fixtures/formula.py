"""Parameter values computed from their names, as Tests/TestSupport/Formula.swift computes them.

A golden vector made with these needs no weights file: each value is a function of the parameter's
name and of its flat index in PyTorch's layout.
"""

import numpy as np

GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)


def uniform(name, count):
    """`count` values in [0, 1): SplitMix64 seeded with the name's FNV-1a hash, 24 bits each."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN_RATIO
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def values(name, shape, variance_scale):
    """Float32 values of a parameter by the role that its name's last part and its rank give."""
    u = uniform(name, int(np.prod(shape)))
    leaf = name.rpartition(".")[2]
    if leaf == "num_batches_tracked":
        v = np.zeros_like(u)
    elif leaf == "running_var":
        v = variance_scale * (1 + 2 * u)
    elif leaf == "running_mean":
        v = (u - 0.5) * 0.2
    elif len(shape) >= 2:
        v = (u - 0.5) * 2 * np.sqrt(3 * 1.6 / np.prod(shape[1:]))
    elif leaf.startswith("weight"):
        v = 0.75 + 0.5 * u
    else:
        v = (u - 0.5) * 0.2
    return v.astype(np.float32).reshape(shape)
