"""The format of the messages on the queue, and the identity of a document."""
