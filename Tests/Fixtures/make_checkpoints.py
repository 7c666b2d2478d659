"""Makes Tests/Fixtures/checkpoints: one small state dict in every form that weights files take, the
values it must read to, and files that must be refused.

usage: pip install torch numpy safetensors; python Tests/Fixtures/make_checkpoints.py
"""

import collections
import io
import json
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).resolve().parent / "checkpoints"
OUT.mkdir(exist_ok=True)
generator = torch.Generator().manual_seed(11)


def values(*shape):
    return torch.randn(*shape, generator=generator)


base = values(5, 6)
state = {
    "stem.weight": values(4, 2, 3, 3),
    "stem.bias": values(4),
    "norm.running_var": torch.rand(4, generator=generator),
    "norm.num_batches_tracked": torch.tensor(12),
    "head.weight": values(3, 4),
    "transposed": base.t(),
    "part": base[1:4, 2:5],
    "every_other": base[:, 1::2],
    "repeated": values(1, 3).expand(2, 3),
    "scalar": torch.tensor(-2.5),
    "nothing": torch.zeros(0, 3),
}
tiny = {"weight": state["head.weight"], "bias": state["stem.bias"]}


def expect(name, tensors):
    table = {
        key: {"shape": list(t.shape), "values": [float(x) for x in t.flatten()]}
        for key, t in tensors.items()
    }
    (OUT / f"{name}.json").write_text(json.dumps(table) + "\n")


def save(name, value, **options):
    torch.save(value, OUT / name, **options)


# Containers and pickle protocols.
expect("expected", state)
save("zip.pth", state)
save("legacy.pth", state, _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    save(f"zip-protocol{protocol}.pth", tiny, pickle_protocol=protocol)
    save(
        f"legacy-protocol{protocol}.pth", tiny, pickle_protocol=protocol,
        _use_new_zipfile_serialization=False,
    )
expect("expected-tiny", tiny)
save_file({k: v.contiguous() for k, v in state.items()}, OUT / "plain.safetensors",
          metadata={"note": 'quotes " and \\ and ü and \n'})

# Element types.
kinds = {
    "f64": torch.tensor([0.1, -1e30, 3.0], dtype=torch.float64),
    "f32": torch.tensor([0.1, -1e30, 1e-40]),
    "f16": torch.tensor([0.1, 65504.0, -6e-8, 0.0]).half(),
    "bf16": torch.tensor([0.1, -3e38, 1e-40]).bfloat16(),
    "i64": torch.tensor([-(1 << 40), 7]),
    "i32": torch.tensor([-(1 << 20), 7], dtype=torch.int32),
    "i16": torch.tensor([-300, 7], dtype=torch.int16),
    "i8": torch.tensor([-128, 127], dtype=torch.int8),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "u16": torch.tensor([0, 65535], dtype=torch.uint16),  # rebuilt by _rebuild_tensor_v3
    "bool": torch.tensor([True, False, True]),
}
expect("expected-kinds", {k: v.float() for k, v in kinds.items()})
save("kinds.pth", kinds)
save_file(kinds, OUT / "kinds.safetensors")

# Where the state dict lies.
prefixed = collections.OrderedDict(("module." + k, v) for k, v in tiny.items())
optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
optimizer.param_groups[0]["params"][0].grad = torch.ones(2)
optimizer.step()
save("training.pth", {
    "epoch": 7, "state_dict": prefixed, "optimizer": optimizer.state_dict(), "best": 0.5,
    "loss": torch.tensor(0.25), "name": "b4", "history": [1.0, 0.5], "bce": np.float64(0.125),
    "count": np.int64(-3), "single": np.float32(0.1),
})
save("deep.pth", {"model": {"state_dict": tiny, "epoch": 2}})
save("odd-name.pth", {"classifier_weights": tiny, "epoch": 1})
save("two.pth", {"generator": tiny, "discriminator": tiny})
save("compiled.pth", {"_orig_mod.module." + k: v for k, v in tiny.items()})
save("parameters.pth", {k: torch.nn.Parameter(v) for k, v in tiny.items()})
network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
save("module-state.pth", network.state_dict())
expect("expected-module-state", network.state_dict())
save("empty.pth", {"epoch": 3})


# A legacy file whose storage is a view of another, as PyTorch wrote until 0.4, in Python 2's text.
class View:
    def __reduce__(self):
        storage = Storage()
        return torch._utils._rebuild_tensor, (storage, 1, (2, 3), (3, 1))


class Storage:
    pass


class LegacyPickler(pickle._Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", torch.FloatStorage, "root", "cpu", 12, ("view", 4, 8))
        return None

    def save_str(self, text):
        data = text.encode()
        self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        self.memoize(text)

    dispatch = dict(pickle._Pickler.dispatch)
    dispatch[str] = save_str


def legacy(name, pickled, storages=b"", keys=()):
    with open(OUT / name, "wb") as file:
        pickle.dump(0x1950A86A20F9469CFC6C, file, protocol=2)
        pickle.dump(1001, file, protocol=2)
        pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, file, protocol=2)
        file.write(pickled)
        pickle.dump(list(keys), file, protocol=2)
        file.write(storages)


buffer = io.BytesIO()
LegacyPickler(buffer, protocol=2).dump(collections.OrderedDict([("weight", View())]))
elements = struct.pack("<q12f", 12, *range(12))
legacy("legacy-view.pth", buffer.getvalue(), elements, ["root"])
expect("expected-legacy-view", {"weight": torch.arange(5, 11).float().reshape(2, 3)})


# Files that must be refused.
class Evil:
    def __reduce__(self):
        return os.system, ("touch dfkit-was-owned",)


save("refuse-code.pth", {"weight": tiny["weight"], "x": Evil()})
save("refuse-code-protocol4.pth", {"weight": tiny["weight"], "x": Evil()}, pickle_protocol=4)
save("refuse-code-legacy.pth", {"weight": tiny["weight"], "x": Evil()},
     _use_new_zipfile_serialization=False)
save("refuse-module.pth", torch.nn.Linear(2, 2))
save("refuse-sparse.pth", {"weight": torch.eye(3).to_sparse()})
save("refuse-array.pth", {"weight": np.zeros(3)})
save("refuse-complex.pth", {"weight": torch.zeros(3, dtype=torch.complex64)})
save("refuse-expanded.pth", {"weight": torch.zeros(1).expand(1 << 40)})
with zipfile.ZipFile(OUT / "zip.pth") as source, zipfile.ZipFile(
    OUT / "refuse-compressed.pth", "w", zipfile.ZIP_DEFLATED
) as target, zipfile.ZipFile(OUT / "refuse-bigendian.pth", "w") as big:
    for item in source.infolist():
        data = source.read(item)
        target.writestr(item.filename, data)
        big.writestr(item.filename, b"big" if item.filename.endswith("byteorder") else data)
for name in sorted(os.listdir(OUT)):
    print(name, (OUT / name).stat().st_size)
