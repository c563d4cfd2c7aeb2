"""The claim bucket: changes that were too large for the queue, and events that are too large for the bus."""
