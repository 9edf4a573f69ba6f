"""From a request to latents and layers: schedulers, guidance, the pipeline."""
