"""Weights in the processor's own layout: the same logits, and layers that cannot have it are left alone."""

from __future__ import annotations

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM, PreTrainedModel

from engine.models.packing import PackedLinear, pack_linears
from tests.helpers.tiny_models import llama

IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])


def packed_layers(model: PreTrainedModel) -> int:
    return sum(isinstance(module, PackedLinear) for module in model.modules())


@pytest.mark.parametrize("bias", [True, False])
def test_the_logits_stay_the_same(bias: bool) -> None:
    torch.manual_seed(0)
    model = llama(num_hidden_layers=2, attention_bias=bias, mlp_bias=bias).eval()
    with torch.inference_mode():
        before = model(IDS).logits
        pack_linears(model)
        assert packed_layers(model) == 2 * 7 + 1
        torch.testing.assert_close(model(IDS).logits, before, rtol=1e-5, atol=1e-5)
        many = IDS.expand(70, -1)
        torch.testing.assert_close(model(many).logits, before.expand(70, -1, -1), rtol=1e-5, atol=1e-5)


def test_a_model_that_looks_at_its_layers_weights_is_left_as_it_is() -> None:
    torch.manual_seed(0)
    model = MambaForCausalLM(MambaConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, state_size=4)).eval()
    with torch.inference_mode():
        before = model(IDS).logits
        pack_linears(model)
        assert torch.equal(model(IDS).logits, before)


def test_other_types_of_weights_are_left_alone() -> None:
    model = llama(num_hidden_layers=1)
    pack_linears(model.bfloat16().eval())
    assert packed_layers(model) == 0
