"""The settings of a stream and of a task, from the environment and from files."""
