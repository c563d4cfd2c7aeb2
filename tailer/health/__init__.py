"""Whether the task is well: state, HTTP port, and the container's health check."""
