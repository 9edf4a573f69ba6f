"""The networks while they are trained: codec, denoiser, layers drawn together."""
