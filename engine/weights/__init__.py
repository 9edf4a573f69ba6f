"""Changes to a network's weights and back: patches, LoRAs, key names."""
