"""The sketch model's own parts: the words it knows, its memory of drawings, and the networks between pictures and latents."""
