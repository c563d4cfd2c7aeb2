"""Changes too large for the queue, fetched from where the tailer left them."""
