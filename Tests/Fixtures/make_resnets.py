"""Makes resnets.json: outputs and gradients of torchvision's and timm's ResNets and ResNeXts for
weights that are computed from the parameters' names, so that no weight files are needed.

    pip install torch torchvision timm numpy
    python make_resnets.py resnets.json

`networks` holds for each case the logits, 16 samples of the features (in PyTorch's order) and the
running variances' scale at which the features neither vanish nor explode. `gradients` holds the loss
of a training step with frozen running statistics, computed in double precision, and samples of the
gradients of some parameters, in PyTorch's order. (With statistics of three images, gradients in
single precision are off by a hundredth, PyTorch's too.) `gradcam` holds maps as make_gradcam.py makes them: depth 0 is the stem's, 4 the last
stage's.
"""
import json
import math
import sys

import timm
import torch
import torchvision
from torch import nn

import formula
from make_networks import image, use_group_norm

# source, model, groups of group norm (0: batch norm), size, batch, classes
CASES = [
    ("torchvision", "resnet50", 0, 64, 2, 1),
    ("torchvision", "resnet50", 8, 61, 1, 2),
    ("timm", "resnet101", 0, 48, 1, 1),
    ("torchvision", "resnext50_32x4d", 0, 65, 1, 3),
    ("timm", "resnext50_32x4d", 4, 64, 2, 1),
    ("torchvision", "resnext101_32x8d", 0, 64, 1, 1),
    ("torchvision", "resnext101_32x8d", 8, 45, 1, 2),
]
# model, groups, size, batch
GRADIENTS = [("resnext50_32x4d", 0, 64, 3), ("resnet50", 8, 40, 2)]
# model, groups, size, running variances' scale, depths
CAMS = [("resnext50_32x4d", 0, 64, 1.0, [2, 4]), ("resnet50", 8, 70, 0.5, [3])]
PARAMETERS = [
    "conv1.weight", "bn1.bias", "layer1.0.conv2.weight", "layer2.0.downsample.0.weight",
    "layer2.1.bn2.weight", "layer3.0.conv2.weight", "layer4.2.conv3.weight", "layer4.2.bn3.bias",
    "fc.weight", "fc.bias"]


def build(source, model, classes, groups):
    if source == "timm":
        network = timm.create_model(model, num_classes=classes)
    else:
        network = getattr(torchvision.models, model)(num_classes=classes)
    if groups:
        use_group_norm(network, groups)
    return network.eval()


def features(network, x):
    if hasattr(network, "forward_features"):
        return network.forward_features(x)
    seen = []
    hook = network.layer4.register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(x)
    hook.remove()
    return seen[0]


def load(network, scale, only=""):
    """Sets the parameters and buffers whose names end so; only running variances need the scale."""
    network.load_state_dict({
        key: torch.from_numpy(formula.values(key, tuple(v.shape), scale)).to(v.dtype)
        for key, v in network.state_dict().items() if key.endswith(only)}, strict=not only)


def samples(tensor):
    flat = tensor.flatten()
    return flat[:: max(1, flat.numel() // 16)][:16].tolist()


@torch.no_grad()
def golden(source, model, groups, size, batch, classes):
    network = build(source, model, classes, groups)
    name = f"{source}:{model}:{groups}:{size}:{batch}:{classes}"
    x = image(name, batch, size)
    load(network, 0.5)

    def magnitude(scale):
        load(network, scale, only="running_var")
        return features(network, x).abs().mean().item()

    scale = 0.5
    if groups == 0:
        grid = [0.8 + 0.1 * i for i in range(6)]
        scale = round(min(grid, key=lambda s: abs(math.log(magnitude(s) / 0.5))), 2)
    magnitude(scale)
    maps = features(network, x)
    entry = {
        "source": source, "model": model, "groups": groups, "size": size, "batch": batch,
        "classes": classes, "input": name, "varianceScale": scale, "features": samples(maps),
        "logits": network(x).flatten().tolist()}
    print(name, scale, maps.abs().mean().item(), entry["logits"], flush=True)
    return entry


def gradients(model, groups, size, batch):
    network = build("torchvision", model, 1, groups)
    load(network, 1.0)
    network.double()
    name = f"gradients:{model}:{groups}:{size}:{batch}"
    targets = torch.tensor([[float(i % 2)] for i in range(batch)], dtype=torch.float64)
    loss = nn.functional.binary_cross_entropy_with_logits(
        network(image(name, batch, size).double()), targets)
    loss.backward()
    found = dict(network.named_parameters())
    print(name, loss.item(), flush=True)
    return {
        "model": model, "groups": groups, "size": size, "batch": batch, "input": name,
        "loss": loss.item(),
        "gradients": [
            {"key": key, "most": found[key].grad.abs().max().item(),
             "samples": samples(found[key].grad)} for key in PARAMETERS]}


def cams(model, groups, size, scale, depths):
    network = build("torchvision", model, 1, groups)
    load(network, scale)
    name = f"gradcam:{model}:{groups}:{size}"
    entries = []
    for depth in depths:
        seen = []

        def keep(module, inputs, output):
            output.retain_grad()
            seen.append(output)

        hook = getattr(network, f"layer{depth}").register_forward_hook(keep)
        logit = network(image(name, 1, size).requires_grad_())[0, 0]
        hook.remove()
        logit.backward()
        maps = seen[0]
        cam = (maps.grad.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)[0].clamp(min=0)
        entries.append({
            "model": model, "groups": groups, "size": size, "varianceScale": scale, "input": name,
            "depth": depth, "height": cam.shape[0], "width": cam.shape[1], "logit": logit.item(),
            "map": cam.flatten().tolist()})
        print(name, depth, tuple(cam.shape), cam.max().item(), (cam > 0).float().mean().item())
    return entries


def main():
    made = {
        "networks": [golden(*case) for case in CASES],
        "gradients": [gradients(*case) for case in GRADIENTS],
        "gradcam": [entry for case in CAMS for entry in cams(*case)]}
    with open(sys.argv[1], "w") as file:
        json.dump(made, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
