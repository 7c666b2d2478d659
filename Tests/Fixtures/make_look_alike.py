"""Makes look_alike.json: embeddings of the look-alike network, written in PyTorch from its table, for weights
that are computed from the parameters' names.

    pip install torch numpy
    python make_look_alike.py look_alike.json
"""
import json
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import formula

# repeats, kernel, stride, expansion, channels
TABLE = [(1, 3, 1, 1, 16), (2, 3, 2, 4, 24), (2, 5, 2, 4, 40), (3, 3, 2, 4, 80), (2, 5, 1, 4, 96),
         (2, 5, 2, 4, 160)]
VARIANCE_SCALE = 0.1


class Squeeze(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, squeezed, 1)
        self.conv_expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        y = F.silu(self.conv_reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.conv_expand(y))


class Block(nn.Module):
    def __init__(self, kernel, stride, inputs, expansion, outputs):
        super().__init__()
        channels = inputs * expansion
        self.expands = expansion != 1
        self.adds = stride == 1 and inputs == outputs
        self.conv_dw = nn.Conv2d(
            channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)
        self.se = Squeeze(channels, max(1, inputs // 4))
        project = nn.Conv2d(channels, outputs, 1, bias=False)
        if self.expands:
            self.conv_pw = nn.Conv2d(inputs, channels, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
            self.conv_pwl, self.bn3 = project, nn.BatchNorm2d(outputs)
        else:
            self.bn1, self.conv_pw, self.bn2 = nn.BatchNorm2d(channels), project, nn.BatchNorm2d(outputs)

    def forward(self, x):
        if self.expands:
            y = F.silu(self.bn1(self.conv_pw(x)))
            y = self.bn3(self.conv_pwl(self.se(F.silu(self.bn2(self.conv_dw(y))))))
        else:
            y = self.bn2(self.conv_pw(self.se(F.silu(self.bn1(self.conv_dw(x))))))
        return x + y if self.adds else y


class LookAlike(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_stem = nn.Conv2d(3, 16, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        stages = []
        for repeats, kernel, stride, expansion, outputs in TABLE:
            stage = []
            for i in range(repeats):
                stage.append(Block(kernel, stride if i == 0 else 1, channels, expansion, outputs))
                channels = outputs
            stages.append(nn.Sequential(*stage))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(channels, 512, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(512)
        self.embedding = nn.Linear(512, 128, bias=False)
        self.bn3 = nn.BatchNorm1d(128)

    def forward(self, x):
        x = self.blocks(F.silu(self.bn1(self.conv_stem(x))))
        x = F.silu(self.bn2(self.conv_head(x))).mean((2, 3))
        return F.normalize(self.bn3(self.embedding(x)))


def main():
    torch.set_grad_enabled(False)
    network = LookAlike().eval()
    network.load_state_dict({
        key: torch.from_numpy(formula.values(key, tuple(v.shape), VARIANCE_SCALE)).to(v.dtype)
        for key, v in network.state_dict().items()})
    name, size, batch = "look-alike:80:2", 80, 2
    v = ((formula.uniform(name, batch * size * size * 3) - 0.5) * 4).astype(np.float32)
    x = torch.from_numpy(v.reshape(batch, size, size, 3)).permute(0, 3, 1, 2).contiguous()
    embeddings = network(x)
    print(embeddings @ embeddings.T)
    with open(sys.argv[1], "w") as file:
        json.dump({
            "input": name, "size": size, "batch": batch, "varianceScale": VARIANCE_SCALE,
            "embeddings": [[round(v, 7) for v in row] for row in embeddings.tolist()]}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
