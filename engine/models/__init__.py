"""Base models: opened, encoded, decoded, kept."""
