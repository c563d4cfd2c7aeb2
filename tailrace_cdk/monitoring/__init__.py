"""What people on call see: metrics, alarms, dashboard."""
