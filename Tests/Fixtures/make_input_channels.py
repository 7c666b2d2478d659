"""Makes input_channels.json: first layers for other numbers of input channels, by timm.

    pip install torch timm numpy
    python make_input_channels.py input_channels.json

adapt: timm's adapt_input_conv of weights that are computed from their names.
networks: timm's networks with 4 and 6 input channels. Their weights and images are computed from
names, as in make_networks.py; the features are 16 samples in PyTorch's order.
inputs: a pair of small images, and what a network with a difference reads of them, in float64:
(byte / 255 - mean) / std, then (later - byte) / 255 / std.
"""
import json
import sys

import numpy as np
import timm
import torch
from timm.models import adapt_input_conv

import formula
from make_networks import use_group_norm

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
LUMA = np.array([0.299, 0.587, 0.114])

# model, groups (0: batch norm), channels, size, batch, running variances' scale
CASES = [
    ("efficientnet_b0", 0, 4, 64, 2, 0.5),
    ("efficientnet_b0", 8, 6, 64, 1, 0.5),
    ("efficientnet_lite0", 0, 6, 48, 1, 0.5),
    ("legacy_xception", 0, 4, 72, 1, 1.2),
    ("legacy_xception", 8, 6, 72, 1, 1.2),
]


def adapted():
    for inputs, outputs in [(3, (1, 2, 4, 5, 6, 7)), (12, (1,))]:
        shape = (3, inputs, 3, 2)
        name = f"adapt:{inputs}.weight"
        weights = torch.from_numpy(formula.values(name, shape, 1))
        for channels in outputs:
            result = adapt_input_conv(channels, weights.clone())
            yield {"name": name, "shape": list(shape), "channels": channels,
                   "expected": [float(v) for v in result.flatten()]}


def networks():
    for model, groups, channels, size, batch, scale in CASES:
        network = timm.create_model(model, num_classes=1, in_chans=channels)
        if groups:
            use_group_norm(network, groups)
        network.eval()
        network.load_state_dict({
            key: torch.from_numpy(formula.values(key, tuple(v.shape), scale)).to(v.dtype)
            for key, v in network.state_dict().items()})
        name = f"channels:{model}:{groups}:{channels}"
        u = formula.uniform(name, batch * size * size * channels)
        x = torch.from_numpy(((u - 0.5) * 4).astype(np.float32)
                             .reshape(batch, size, size, channels)).permute(0, 3, 1, 2)
        with torch.no_grad():
            features = network.forward_features(x.contiguous()).flatten()
            logits = network(x.contiguous())
        print(name, float(features.abs().mean()), logits.flatten().tolist())
        yield {"model": model, "groups": groups, "channels": channels, "size": size,
               "batch": batch, "input": name, "varianceScale": scale,
               "features": [float(v) for v in features[::max(1, len(features) // 16)][:16]],
               "logits": [float(v) for v in logits.flatten()]}


def inputs():
    width, height = 7, 5
    pictures = [(formula.uniform(f"picture:{name}", width * height * 3) * 256).astype(np.uint8)
                for name in ("now", "later")]
    now, later = (p.reshape(height, width, 3).astype(np.float64) for p in pictures)
    difference = (later - now) / 255
    for order in ("rgb", "bgr"):
        turn = slice(None) if order == "rgb" else slice(None, None, -1)
        base = ((now / 255 - MEAN) / STD)[..., turn]
        luma = (difference @ LUMA / (LUMA @ STD))[..., None]
        for channels, extra in (("luma", luma), ("rgb", (difference / STD)[..., turn])):
            yield {"width": width, "height": height, "now": pictures[0].tolist(),
                   "later": pictures[1].tolist(), "order": order, "channels": channels,
                   "expected": [round(v, 7) for v in
                                np.concatenate([base, extra], axis=-1).flatten().tolist()]}


def main():
    result = {"adapt": list(adapted()), "networks": list(networks()), "inputs": list(inputs())}
    with open(sys.argv[1], "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
