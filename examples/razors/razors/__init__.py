"""Razors by subscription: domains that publish what happened, and an order store, as a project that uses Tailrace."""
