"""Files of the catalogue brought from the hub: with consent, progress, resuming, and reasons where that fails."""
