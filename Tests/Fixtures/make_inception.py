"""Makes inception.json: embeddings of facenet-pytorch's InceptionResnetV1 for weights that are computed from
the parameters' names, so that no weight file is needed.

    pip install torch facenet-pytorch numpy
    python make_inception.py inception.json

Each entry holds the embeddings of a batch, scaled to length 1, and the running variances' scale at which the
maps neither vanish nor explode.
"""
import json
import math
import sys

import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1

import formula

# size, batch
CASES = [(160, 1), (97, 2)]


def main():
    torch.set_grad_enabled(False)
    network = InceptionResnetV1(pretrained=None).eval()
    entries = []
    for size, batch in CASES:
        name = f"inception-resnet-v1:{size}:{batch}"
        v = ((formula.uniform(name, batch * size * size * 3) - 0.5) * 4).astype(np.float32)
        x = torch.from_numpy(v.reshape(batch, size, size, 3)).permute(0, 3, 1, 2).contiguous()
        pooled = {}
        network.avgpool_1a.register_forward_hook(lambda m, i, o: pooled.update(x=o))

        def magnitude(scale):
            network.load_state_dict({
                key: torch.from_numpy(formula.values(key, tuple(v.shape), scale)).to(v.dtype)
                for key, v in network.state_dict().items()})
            network(x)
            return pooled["x"].abs().mean().item()

        grid = [0.3 + 0.1 * i for i in range(12)]
        scale = round(min(grid, key=lambda s: abs(math.log(magnitude(s) / 1.0))), 2)
        print(name, scale, magnitude(scale))
        entries.append({
            "input": name, "size": size, "batch": batch, "varianceScale": scale,
            "embeddings": [[round(v, 7) for v in row] for row in network(x).tolist()]})
    with open(sys.argv[1], "w") as file:
        json.dump(entries, file)
        file.write("\n")


if __name__ == "__main__":
    main()
