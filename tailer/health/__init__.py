"""The health of a task: its state, its HTTP endpoints, and the container's health check."""
