"""
``tailer doctor``: checks everything a tailer needs, with its settings, and reports what is wrong and the remedy.

It takes no lease, sends no message and consumes nothing: a tailer that runs does not notice. All that it writes is a record of
its own beside the checkpoints and an object of its own in the claim bucket.
"""
