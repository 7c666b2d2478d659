"""Makes networks.json: outputs of other people's EfficientNets and Xceptions for weights that are
computed from the parameters' names, so that no weight files are needed.

    pip install torch torchvision timm efficientnet_pytorch efficientnet_lite_pytorch numpy
    python make_networks.py networks.json

Each entry holds the logits, 16 samples of the features (in PyTorch's order) and the running
variances' scale at which the features neither vanish nor explode.
"""
import json
import math
import sys

import numpy as np
import torch
from torch import nn

import formula


def image(name, batch, size):
    v = ((formula.uniform(name, batch * size * size * 3) - 0.5) * 4).astype(np.float32)
    return torch.from_numpy(v.reshape(batch, size, size, 3)).permute(0, 3, 1, 2).contiguous()


def use_group_norm(module, groups):
    """Group norms under the batch norms' names; the activation that follows one stays."""
    for name, child in list(module.named_children()):
        if type(child).__name__ in ("BatchNorm2d", "BatchNormAct2d"):
            n = groups
            while child.num_features % n:
                n //= 2
            norm = nn.GroupNorm(n, child.num_features, eps=1e-5)
            activation = getattr(child, "act", nn.Identity())
            if not isinstance(activation, nn.Identity):
                norm = NormThen(activation, n, child.num_features, eps=1e-5)
            setattr(module, name, norm)
        else:
            use_group_norm(child, groups)


class NormThen(nn.GroupNorm):
    def __init__(self, activation, *arguments, **options):
        super().__init__(*arguments, **options)
        self.activation = activation

    def forward(self, x):
        return self.activation(super().forward(x))


def build(source, model, classes):
    if source == "timm":
        import timm
        model, _, stages = model.partition("/")
        network = timm.create_model(model, num_classes=classes)
        if stages:
            network.blocks = network.blocks[:int(stages)]
            network.conv_head = nn.Conv2d(
                network.blocks[-1][-1].conv_pwl.out_channels, 1280, 1, bias=False)
        return network, network.forward_features
    if source == "torchvision":
        import torchvision
        network = getattr(torchvision.models, model)(num_classes=classes)
        return network, network.features
    if "lite" in model:
        from efficientnet_lite_pytorch import EfficientNet
    else:
        from efficientnet_pytorch import EfficientNet
    network = EfficientNet.from_name(model, num_classes=classes)
    return network, network.extract_features


# source, model, groups (0: batch norm), size, batch, classes
CASES = [
    ("timm", "efficientnet_b0", 0, 64, 2, 1),
    ("timm", "efficientnet_b1", 0, 75, 1, 2),
    ("timm", "efficientnet_b2", 4, 65, 2, 1),
    ("timm", "efficientnet_b8", 8, 32, 1, 1),
    ("timm", "tf_efficientnet_b3", 0, 97, 1, 5),
    ("timm", "tf_efficientnet_b1", 8, 62, 1, 1),
    ("torchvision", "efficientnet_b0", 8, 64, 1, 3),
    ("torchvision", "efficientnet_b5", 0, 64, 1, 1),
    ("torchvision", "efficientnet_b7", 0, 45, 1, 2),
    ("lukemelas", "efficientnet-b2", 0, 93, 1, 1),
    ("lukemelas", "efficientnet-b3", 8, 70, 1, 2),
    ("lukemelas", "efficientnet-b6", 0, 64, 1, 1),
    ("timm", "efficientnet_b0/5", 8, 70, 1, 1),
    ("timm", "efficientnet_b0/2", 0, 64, 2, 2),
    ("timm", "legacy_xception", 0, 96, 2, 1),
    ("timm", "legacy_xception", 8, 71, 1, 2),
    ("timm", "tf_efficientnet_lite0", 0, 65, 2, 1),
    ("timm", "tf_efficientnet_lite2", 8, 62, 1, 2),
    ("timm", "efficientnet_lite4", 0, 64, 1, 1),
    ("lukemelas", "efficientnet-lite0", 0, 66, 1, 2),
    ("lukemelas", "efficientnet-lite1", 0, 93, 1, 1),
    ("lukemelas", "efficientnet-lite3", 8, 64, 1, 1),
]


def main():
    torch.set_grad_enabled(False)
    entries = []
    for source, model, groups, size, batch, classes in CASES:
        network, features = build(source, model, classes)
        if groups:
            use_group_norm(network, groups)
        network.eval()
        name = f"{source}:{model}:{groups}:{size}:{batch}:{classes}"
        x = image(name, batch, size)

        def magnitude(scale):
            network.load_state_dict({
                key: torch.from_numpy(formula.values(key, tuple(v.shape), scale)).to(v.dtype)
                for key, v in network.state_dict().items()})
            return features(x).abs().mean().item()

        scale = 0.5
        if groups == 0:
            grid = [0.36 + 0.02 * i for i in range(8)]
            if "xception" in model:
                grid = [0.6 + 0.2 * i for i in range(10)]
            scale = round(min(grid, key=lambda s: abs(math.log(magnitude(s) / 0.5))), 2)
        magnitude(scale)
        maps = features(x).flatten()
        entries.append({
            "source": source, "model": model, "groups": groups, "size": size, "batch": batch,
            "classes": classes, "input": name, "varianceScale": scale,
            "features": maps[:: max(1, maps.numel() // 16)][:16].tolist(),
            "logits": network(x).flatten().tolist()})
        print(name, scale, maps.abs().mean().item(), entries[-1]["logits"], flush=True)
    with open(sys.argv[1], "w") as file:
        json.dump(entries, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
