"""Kernels in Triton for what torch does in several, or badly, on a CUDA device: what `fused.py` hands in.

They know pointers and strides; imported only where Triton is. Pictures lie channels last, `(samples, rows, channels)` in memory.
Sums are made in float32. docs/performance.md says what each one saves.
"""
