"""Messages: found by person and status, and each one's way through its channels."""
