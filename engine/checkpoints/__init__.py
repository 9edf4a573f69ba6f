"""Checkpoints as artists own them: by names, shapes and notes, without torch."""
