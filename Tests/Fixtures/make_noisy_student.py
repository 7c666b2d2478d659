"""Makes noisy_student.json: what timm's `tf_efficientnet_b0.ns_jft_in1k` is: its input, the keys and shapes of its
file, and its logits for weights that are computed from the keys, so that no weight file is needed.

    pip install torch timm numpy
    python make_noisy_student.py noisy_student.json
"""
import json
import math
import sys

import timm
import torch

import formula
from make_networks import image

NAME = "tf_efficientnet_b0.ns_jft_in1k"


def main():
    torch.set_grad_enabled(False)
    network = timm.create_model(NAME).eval()
    state = network.state_dict()
    x = image(NAME, 2, 64)

    def magnitude(scale):
        network.load_state_dict({
            key: torch.from_numpy(formula.values(key, tuple(v.shape), scale)).to(v.dtype)
            for key, v in state.items()})
        return network.forward_features(x).abs().mean().item()

    grid = [0.36 + 0.02 * i for i in range(8)]
    scale = round(min(grid, key=lambda s: abs(math.log(magnitude(s) / 0.5))), 2)
    magnitude(scale)
    logits = network(x)
    config = network.pretrained_cfg
    found = {
        "name": NAME, "url": config["url"], "size": config["input_size"][1], "mean": config["mean"],
        "std": config["std"], "interpolation": config["interpolation"], "licence": config["license"],
        "epsilon": network.bn1.eps, "varianceScale": scale,
        # Every 50th of the 1000 logits of each image.
        "logits": [row[::50].tolist() for row in logits],
        "shapes": {key: list(value.shape) for key, value in state.items()}}
    with open(sys.argv[1], "w") as file:
        file.write("{\n")
        for key, value in found.items():
            end = "\n" if key == "shapes" else ",\n"
            file.write(f' "{key}": {json.dumps(value)}{end}')
        file.write("}\n")
    print(scale, magnitude(scale), logits.std().item())


if __name__ == "__main__":
    main()
