"""The checks of AWS: who this process is, the queue, the claim bucket, and the forwarder at the other end of the queue."""
