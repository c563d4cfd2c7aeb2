"""Metrics, alarms, their notices, and the dashboard."""
