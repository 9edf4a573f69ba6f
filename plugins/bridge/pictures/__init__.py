"""What an artist does with pictures that were made: throwing away and taking back, and knowing their size. Knows no widget."""
