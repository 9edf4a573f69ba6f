"""What the model is measured by: subjects found again, alpha, colours, scenes; and the contact sheet."""
