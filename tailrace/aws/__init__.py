"""The errors of AWS, the requirements for queues, and the table item of unmapped collections."""
