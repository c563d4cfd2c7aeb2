"""Every event there is: its page, its schema, and what would break a consumer."""
