"""The sink: SQS for changes, S3 for large ones; and the forwarder's table and function, as far as the tailer reads them."""
