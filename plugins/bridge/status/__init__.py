"""What an artist is told besides results: what runs and waits, how the connection is, what went wrong."""
