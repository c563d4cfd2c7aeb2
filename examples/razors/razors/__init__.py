"""
Razors by subscription: three domains that publish what happened, and an order store, as a project that uses Tailrace.

Subscriptions and orders live in DynamoDB, payments in MongoDB (in production: DocumentDB); each domain has a bus of its own.
"""
