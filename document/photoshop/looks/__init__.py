"""What the records of a PSD's layers say of their looks: names and modes, masks, effects, fills, adjustments."""
