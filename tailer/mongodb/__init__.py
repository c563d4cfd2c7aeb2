"""MongoDB and DocumentDB: how a tailer signs in, reads a change stream, and understands what they answer."""
