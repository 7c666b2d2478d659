"""Makes weights/tiny_literal-1.0-py3-none-any.whl: a wheel with a Python file that holds checkpoints/kinds.onnx as
the literal of bytes that Python's repr writes; and weights/tiny_literal.json, the sizes and SHA-256 of both.

    python make_literal.py
"""

import json
import pathlib

import wheel

here = pathlib.Path(__file__).parent
model = (here / "checkpoints" / "kinds.onnx").read_bytes()
info = "tiny_literal-1.0.dist-info"
members = {
    "tiny_literal/__init__.py": b"from .weights import WEIGHTS\n",
    "tiny_literal/weights.py": b"# The network.\nWEIGHTS = " + repr(model).encode() + b"\n",
    f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-literal\nVersion: 1.0\n",
    f"{info}/WHEEL": wheel.WHEEL,
    f"{info}/RECORD": b"",
}
path = here / "weights" / "tiny_literal-1.0-py3-none-any.whl"
wheel.write(path, members)
expected = {"kinds.onnx": wheel.facts(model), path.name: wheel.facts(path.read_bytes())}
(here / "weights" / "tiny_literal.json").write_text(json.dumps(expected, indent=2) + "\n")
