"""The memory of a message or a claim is estimated before it is decoded, and the estimate holds in a function of that size."""
