"""AWS clients, calls in batches, the resources that settings name, and the watermark table."""
