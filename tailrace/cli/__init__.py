"""The command ``tailrace``: one command for people. Each of its commands is imported when it is typed."""
