"""The server's settings from a file, the environment and the command line, and shown to people."""
