"""
``tailer doctor``: looks at everything a tailer needs, with its own settings, and says what is wrong and what to do about it.

It takes no lease, sends no message and consumes nothing: a tailer that runs does not notice. All that it writes is a record of
its own beside the checkpoints and an object of its own in the claim bucket.
"""
