"""The ECS task: reads a change stream, sends what it reads to SQS FIFO, then remembers how far it got."""
