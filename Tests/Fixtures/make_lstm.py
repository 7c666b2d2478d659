"""Writes the fixtures of LSTMs in lstm/:

- lstm.json: what torch.nn.LSTM computes, and its gradients, in double precision. Inputs and parameters are not
  stored: value i of "NAME.KEY" is computed from that name (formula.py). The loss is the sum of the outputs and of
  both final states times values of their own: those named "NAME.g0", "NAME.g1" and "NAME.g2".
- state.pth and state.safetensors: one state dict as PyTorch writes it; exported.onnx: the same network as PyTorch
  exports it. lstm.json has what it computes as the case "state".

usage: pip install torch numpy onnx safetensors; python Tests/Fixtures/make_lstm.py
"""
import json
import pathlib

import numpy as np
import onnx
import torch
from safetensors.torch import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from formula import uniform

OUT = pathlib.Path(__file__).resolve().parent / "lstm"


def values(name, shape, scale):
    numbers = (uniform(name, int(np.prod(shape))) - 0.5) * scale
    return torch.from_numpy(numbers.astype(np.float32).reshape(shape)).double()


def sample(tensor, most=24):
    flat = tensor.detach().double().numpy().ravel()
    step = max(1, -(-flat.size // most))
    return {"shape": list(tensor.shape), "step": step, "values": [float(f"{v:.8g}") for v in flat[::step]]}


def case(name, inputs=3, hidden=4, layers=1, both=False, bias=True, batch=1, steps=5, lengths=None, state=False,
         network=None):
    if network is None:
        network = torch.nn.LSTM(inputs, hidden, layers, bias, batch_first=True, bidirectional=both).double()
        for key, parameter in network.named_parameters():
            parameter.data = values(f"{name}.{key}", parameter.shape, 1.2)
    x = values(f"{name}.x", (batch, steps, inputs), 4).requires_grad_()
    shape = (layers * (2 if both else 1), batch, hidden)
    first = [values(f"{name}.{key}", shape, 2).requires_grad_() for key in ("h", "c")] if state else []
    given = x
    if lengths:
        given = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    output, final = network(given, tuple(first) if state else None)
    if lengths:
        output, _ = pad_packed_sequence(output, batch_first=True, total_length=steps)
    found = [output, *final]
    loss = sum((y * values(f"{name}.g{i}", y.shape, 4)).sum() for i, y in enumerate(found))
    wanted = {"x": x, **dict(zip("hc", first)), **dict(network.named_parameters())}
    gradients = torch.autograd.grad(loss, list(wanted.values()))
    return {
        "name": name, "inputs": inputs, "hidden": hidden, "layers": layers, "isBidirectional": both, "bias": bias,
        "batch": batch, "steps": steps, "lengths": lengths, "hasState": state,
        "outputs": [sample(y) for y in found],
        "gradients": {key: sample(g) for key, g in zip(wanted, gradients)},
    }


def state_dict():
    """A network with random weights in PyTorch's own formats."""
    torch.manual_seed(1)
    network = torch.nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)
    torch.save(network.state_dict(), OUT / "state.pth")
    save_file(network.state_dict(), OUT / "state.safetensors")
    x = torch.zeros(2, 5, 3)
    torch.onnx.export(
        network, (x,), OUT / "exported.onnx", dynamo=False, opset_version=17, input_names=["x"],
        output_names=["steps", "hidden", "cell"], dynamic_axes={"x": {0: "batch"}})
    model = onnx.load(OUT / "exported.onnx")
    assert "LSTM" in [node.op_type for node in model.graph.node]
    return case("state", layers=2, both=True, batch=2, network=network.double())


OUT.mkdir(exist_ok=True)
cases = [
    case("plain"),
    case("batch", batch=3, bias=False),
    case("wide", inputs=19, hidden=37, both=True, batch=3, steps=7, state=True),
    case("one_step", batch=2, steps=1, both=True, state=True),
    case("both", both=True, batch=3),
    case("both_alone", both=True, bias=False, state=True),
    case("deep", layers=3, batch=3, state=True),
    case("deep_alone", layers=3, bias=False),
    case("deep_both", layers=3, both=True, batch=3, bias=False),
    case("deep_both_state", layers=3, both=True, state=True),
    case("packed", batch=3, lengths=[2, 5, 4]),
    case("packed_state", batch=3, lengths=[5, 1, 3], state=True),
    case("packed_short", batch=2, lengths=[3, 2], both=True),
    case("packed_both", batch=4, lengths=[2, 5, 1, 4], both=True, state=True, bias=False),
    case("packed_deep", batch=3, lengths=[5, 2, 3], layers=3, both=True, state=True),
    case("packed_wide", inputs=9, hidden=33, batch=4, steps=25, lengths=[25, 11, 18, 2], layers=2, both=True, state=True),
    state_dict(),
]
(OUT / "lstm.json").write_text(json.dumps(cases) + "\n")
