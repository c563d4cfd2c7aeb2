"""
The fault suite: a writer, a reader at the consumer's end, and everything between them killed, paused, cut off and lied to.

``python -P -m tests.faults`` runs it, ``mutations`` shows that it would notice, ``takeover`` measures, ``scan`` waits. The
tests in this folder are a short form of it, and the tests of its own judgement.
"""
