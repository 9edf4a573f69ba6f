"""A network's call made fast, behind one object with one method: `Accelerator.call` of `device/accelerator.py`.

Why own code, where torch and diffusers offer the same? docs/performance.md has the measurements. One step of SDXL at 1024 x 1024
with guidance on an H200: diffusers' pipeline 113.9 ms; one CUDA graph of the kernels as they are 44.0; diffusers'
`compile_repeated_blocks` and a graph 39.7; the residual blocks compiled as well 33.6, after 28 s at every new size; `Recorded`
30.8 to 31.7. The transparent decoder compiled as a whole takes 69 s of compiling. So the kernels buy 6 to 8 per cent of a step,
and what an editor needs more: a new size waits for no compiler. On a CPU compiled blocks gain nothing for the built-in model
(56.8 ms before and after), while `Recorded` takes a fifth off (57.1 to 46.3) and gives the bits of the plain call.

What is lost: this folder stands on torch's private ground (names of `torch.ops.aten`, dispatch modes, tensors' versions,
`mkldnn`'s operators) and was measured on one card. Hence `Checked`, the flag `--acceleration`, and the rule that only
`models/runtime.py` imports it: with `eager` the program works without this folder, and draws on a CPU the same bits.
"""

from .accelerators import Checked, Compiled, Recorded
from .fused_operators import available as joins_kernels
from .fused_operators import compile_ahead

__all__ = ["Checked", "Compiled", "Recorded", "compile_ahead", "joins_kernels"]
