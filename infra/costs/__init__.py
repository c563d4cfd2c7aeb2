"""What a deployment costs: a bill of its template, and of what a million changes cause."""
