"""The client: finds or starts a server, stays connected, and tells each job from the asking to its end."""
