"""Group norm in PyTorch networks, as dfkit has it."""
import torch


def with_group_norm(module, wanted=8):
    """Puts a group norm in the place of each batch norm, with the activation that timm joins to it."""
    for name, child in list(module.named_children()):
        if type(child).__name__ not in ("BatchNorm2d", "BatchNormAct2d"):
            with_group_norm(child, wanted)
            continue
        groups = wanted
        while child.num_features % groups:
            groups //= 2
        norm = torch.nn.GroupNorm(groups, child.num_features, eps=1e-5)
        activation = getattr(child, "act", None)
        joined = activation is not None and not isinstance(activation, torch.nn.Identity)
        setattr(module, name, torch.nn.Sequential(norm, activation) if joined else norm)
    return module
