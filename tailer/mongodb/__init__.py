"""MongoDB and DocumentDB: the source of changes, and everything that the tailer asks of these servers."""
