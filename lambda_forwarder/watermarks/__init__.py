"""How far each lane is published, so that older repeats of any age are dropped."""
