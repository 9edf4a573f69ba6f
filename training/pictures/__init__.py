"""What the model is shown: drawings, scenes and their captions."""
