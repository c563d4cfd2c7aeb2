"""The events of a change stream: decoded into changes, in batches of bounded size."""
