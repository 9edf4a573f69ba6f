"""How the built-in model was made: data, training, judging. Needs the optional group `train`."""
