"""What crosses the wire. Standard library only; also copied into each plug-in."""
