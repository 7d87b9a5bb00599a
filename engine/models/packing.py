"""Weights laid out for the CPU once, instead of at each step.

A matrix product first copies its weights into the order in which the processor reads them; with a few dozen rows that
takes as long as the multiplication. oneDNN, which comes with PyTorch, can do it in advance, as torch.compile does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from transformers import PreTrainedModel

_TYPICAL_ROWS = 64  # the layout is fastest for about this many, and right for any number


class PackedLinear(nn.Module):
    """A linear layer whose weight `[out, in]` is kept in oneDNN's own layout."""

    def __init__(self, linear: nn.Linear, keep_weight: bool = False) -> None:
        """keep_weight: keep the weight as it was as well, for code that reads it."""
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _TYPICAL_ROWS)
        self.bias = None if linear.bias is None else linear.bias.detach()
        if keep_weight:
            self.weight = linear.weight

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`[…, in]` → `[…, out]`."""
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, self._packed, self.bias, "none", [], "")
        return product


def pack_linears(model: PreTrainedModel, probe: Callable[[], torch.Tensor] | None = None) -> None:
    """Replace the linear layers that have float32 weights on the CPU, if the model's logits stay the same.

    Nothing is replaced where this PyTorch has no such operation, nor in a model that reads its layers' weights.
    probe: returns logits of the model in each way in which it will be used, where it has adapters.
    """
    probe = probe or partial(_probe, model)
    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return
    layers = [
        (parent, name, child)
        for parent in model.modules()
        # PEFT keeps an adapter's own layers in ModuleDicts: small ones, whose weights it reads.
        for name, child in ([] if isinstance(parent, nn.ModuleDict) else parent.named_children())
        if type(child) is nn.Linear and child.weight.device.type == "cpu" and child.weight.dtype == torch.float32
    ]
    with torch.inference_mode():
        before = probe()
        for parent, name, child in layers:
            # DoRA and other variants of LoRA read the weight that they change.
            setattr(parent, name, PackedLinear(child, keep_weight=bool(getattr(parent, "lora_variant", None))))
        try:
            same = torch.allclose(before, probe(), rtol=1e-3, atol=1e-3)
        except (AttributeError, RuntimeError):
            same = False
    if not same:
        for parent, name, child in layers:
            setattr(parent, name, child)


def _probe(model: PreTrainedModel) -> torch.Tensor:
    logits: torch.Tensor = model(torch.tensor([[0, 1, 2]]), use_cache=False).logits
    return logits
