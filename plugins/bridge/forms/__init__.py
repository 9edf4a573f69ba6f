"""What an artist fills in, beyond the form itself: what there is to choose from, and what is remembered. Knows no widget."""
