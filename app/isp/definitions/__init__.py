"""What this room publishes: the definitions of its operations, as JSON."""
