"""
Razors by subscription: three domains that tell each other what happened, and an order store, as a project that uses Tailrace.

Subscriptions live in DynamoDB, payments in MongoDB (in production: DocumentDB), each domain has a bus of its own. ``events.py``
is all that this project gives to the forwarder; the domains themselves import nothing of Tailrace.

``python -P -m examples.razors`` runs everything on this machine and shows every hop.
"""
