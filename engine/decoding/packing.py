"""Weights laid out for the CPU once, instead of at each step.

A matrix product first copies its weights into the order the processor reads them in; with a few dozen rows that takes
as long as the multiplication. oneDNN, which PyTorch brings (and torch.compile uses so), does it once and for all.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

_TYPICAL_ROWS = 64  # the layout is best for about so many, and right for any number


class PackedLinear(nn.Module):
    """A linear layer whose weight `[out, in]` is kept in oneDNN's own layout."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _TYPICAL_ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`[…, in]` → `[…, out]`."""
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, self._packed, self._bias, "none", [], "")
        return product


def pack_linears(model: PreTrainedModel) -> None:
    """Replace the linear layers that have float32 weights on the CPU, if the model then says the same.

    Nothing is replaced where this PyTorch has no such operation, nor in a model that looks at its layers' weights.
    """
    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return
    layers = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) is nn.Linear and child.weight.device.type == "cpu" and child.weight.dtype == torch.float32
    ]
    with torch.inference_mode():
        before = _probe(model)
        for parent, name, child in layers:
            setattr(parent, name, PackedLinear(child))
        try:
            same = torch.allclose(before, _probe(model), rtol=1e-3, atol=1e-3)
        except (AttributeError, RuntimeError):
            same = False
    if not same:
        for parent, name, child in layers:
            setattr(parent, name, child)


def _probe(model: PreTrainedModel) -> torch.Tensor:
    logits: torch.Tensor = model(torch.tensor([[0, 1, 2]]), use_cache=False).logits
    return logits
