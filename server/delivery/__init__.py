"""What a client is told: subscribers, outboxes, layers as frames."""
