"""Models whose pictures are layers from the start: a four-channel autoencoder, a transformer, and the encoder of its words."""
