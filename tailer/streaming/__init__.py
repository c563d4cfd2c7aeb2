"""The loop of a stream, and the task that runs it."""
