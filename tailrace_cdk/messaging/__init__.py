"""From the queue to the bus: queues, state, functions, bus."""
