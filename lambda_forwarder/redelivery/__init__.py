"""When the queue hands a message out again, and what is known of the last time that it did."""
