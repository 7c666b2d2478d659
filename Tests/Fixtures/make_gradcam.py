"""Makes gradcam.json: Grad-CAM by PyTorch's gradients, of timm's networks whose weights are computed from the parameters'
names.

    pip install torch timm numpy
    python make_gradcam.py gradcam.json

A map of a depth (0 is the stem's, then the stages' or blocks', last the head's) is the sum of the channels, each weighing
the mean of the logit's gradient by it, cut off below 0.
"""
import json
import sys

import timm
import torch

import formula
from make_networks import image, use_group_norm

# model, groups (0: batch norm), size, running variances' scale, depths
CASES = [
    ("efficientnet_b0", 8, 96, 0.5, [3, 5, 8]),
    ("efficientnet_b1", 0, 75, 0.4, [8]),
    ("legacy_xception", 0, 96, 1.2, [4, 13]),
]


def modules(network, model):
    """What gives the map of each depth."""
    if model == "legacy_xception":
        return [network.act2, *[getattr(network, f"block{i}") for i in range(1, 13)], network.act4]
    return [network.bn1, *network.blocks, network.bn2]


def main():
    entries = []
    for model, groups, size, scale, depths in CASES:
        network = timm.create_model(model, num_classes=1)
        if groups:
            use_group_norm(network, groups)
        network.eval()
        network.load_state_dict({
            key: torch.from_numpy(formula.values(key, tuple(v.shape), scale)).to(v.dtype)
            for key, v in network.state_dict().items()})
        name = f"gradcam:{model}:{groups}:{size}"
        x = image(name, 1, size)
        for depth in depths:
            seen = []

            def keep(module, inputs, output):
                output.retain_grad()
                seen.append(output)

            hook = modules(network, model)[depth].register_forward_hook(keep)
            logit = network(x.requires_grad_())[0, 0]
            hook.remove()
            network.zero_grad()
            logit.backward()
            maps = seen[0]
            weights = maps.grad.mean(dim=(2, 3), keepdim=True)
            cam = (weights * maps).sum(dim=1)[0].clamp(min=0)
            entries.append({
                "model": model, "groups": groups, "size": size, "varianceScale": scale, "input": name,
                "depth": depth, "height": cam.shape[0], "width": cam.shape[1],
                "logit": logit.item(), "map": cam.flatten().tolist()})
            print(name, depth, tuple(cam.shape), cam.max().item(), (cam > 0).float().mean().item())
    with open(sys.argv[1], "w") as file:
        json.dump(entries, file)
        file.write("\n")


if __name__ == "__main__":
    main()
