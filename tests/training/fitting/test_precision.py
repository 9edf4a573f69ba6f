"""What a network in bfloat16 learns reaches the float32 weights that it belongs to."""

import torch
from torch import nn

from training.fitting.precision import Trainer


def test_a_convolution_s_weights_go_down_their_own_gradients() -> None:
    """The fused optimizer goes through memory: gradients in another order than the weights would be other weights'."""
    torch.manual_seed(0)
    layer, frames = nn.Conv2d(6, 8, 3), torch.randn(4, 6, 8, 8)
    before = layer.weight.detach().clone()
    layer(frames).square().sum().backward()
    assert layer.weight.grad is not None
    wanted = layer.weight.grad.clone()
    trainer = Trainer(layer, None, peak=1e-3)
    trainer.pace(1, 0)
    trainer.learn(trainer.fast(frames.to(torch.bfloat16)).float().square().sum())
    clear = wanted.abs() > 0.1 * wanted.abs().max()  # bfloat16 may turn the sign of less
    moved = layer.weight.detach() - before  # AdamW's first step is one of the gradient's sign
    assert (moved.sign() == -wanted.sign())[clear].all()
    assert layer.weight.stride() == trainer.optimizer.state[layer.weight]["exp_avg"].stride()
    assert trainer.fast.weight.equal(layer.weight.to(torch.bfloat16)), "both hold the same"
