"""Jobs: accepted, queued, dispatched, over."""
