"""What artists add to a base model, by names and shapes of tensors: LoRAs of every kind, and embeddings. No torch."""
