"""From an environment to its checked template."""
