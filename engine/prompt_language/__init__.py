"""The language of prompts, as A1111, Forge and ComfyUI's artists write it: text in, values out; no tokens and no networks."""
