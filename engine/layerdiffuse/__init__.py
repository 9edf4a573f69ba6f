"""LayerDiffuse's own networks, under their published keys."""
