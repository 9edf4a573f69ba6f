"""Pictures as the networks take them: padding, working canvases, tiles, initial images; numpy, no torch."""
