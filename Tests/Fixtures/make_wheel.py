"""Makes weights/tiny_weights-1.0-py3-none-any.whl: a wheel that pip accepts, with three small checkpoints
in PyTorch's form from before 1.6 (as facenet-pytorch's are); and weights/tiny_weights.json, the sizes and
SHA-256 of the wheel and of its checkpoints. Needs torch.

    python make_wheel.py
"""

import base64
import hashlib
import io
import json
import pathlib

import torch

import wheel

folder = pathlib.Path(__file__).parent / "weights"
info = "tiny_weights-1.0.dist-info"


def checkpoint(start):
    buffer = io.BytesIO()
    state = {"conv1.weight": torch.arange(start, start + 24).float().reshape(2, 3, 2, 2)}
    torch.save(state, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


members = {
    "tiny_weights/__init__.py": b"",
    "tiny_weights/data/pnet.pt": checkpoint(0),
    "tiny_weights/data/rnet.pt": checkpoint(100),
    "tiny_weights/data/onet.pt": checkpoint(200),
    f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
    f"{info}/WHEEL": wheel.WHEEL,
}
record = ""
for name, data in members.items():
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record += f"{name},sha256={digest},{len(data)}\n"
members[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()

folder.mkdir(exist_ok=True)
path = folder / "tiny_weights-1.0-py3-none-any.whl"
wheel.write(path, members)
expected = {pathlib.Path(name).name: wheel.facts(data) for name, data in members.items() if name.endswith(".pt")}
expected[path.name] = wheel.facts(path.read_bytes())
(folder / "tiny_weights.json").write_text(json.dumps(expected, indent=2) + "\n")
