"""
The fault suite: a writer, a reader in place of the consumer, and everything between them killed, paused and disconnected, with
responses that are lost or wrong. ``python -P -m tests.faults`` runs it, ``mutations`` shows that it finds broken guarantees,
``takeover`` measures, ``scan`` waits. The tests in this folder are a short form of it, and tests of its own checks.
"""
