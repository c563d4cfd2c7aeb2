"""The lease and the checkpoint of a stream, and what a person may decide about them."""
