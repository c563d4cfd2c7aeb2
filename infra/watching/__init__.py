"""What tells the people on call: figures, alarms, dashboard."""
