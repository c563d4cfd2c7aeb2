"""Amazon DocumentDB as far as it is known: its behaviours as data, and a proxy that plays them in front of a real mongod."""
