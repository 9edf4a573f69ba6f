"""What runs jobs: the worker process, its messages, and the runner that watches it."""
