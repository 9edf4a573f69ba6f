"""What both plug-ins share and no host is needed for: the form, placement, the layer stack, prompts, words for a person."""
