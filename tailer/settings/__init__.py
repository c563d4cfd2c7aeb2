"""The settings of a stream and of a task, from variables and from TOML."""
