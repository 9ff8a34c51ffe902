"""Live pages: the streams of hints, and what can be watched."""
