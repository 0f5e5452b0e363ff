"""Alarms: ``conditions`` decides when one begins and ends, ``lifecycle`` is its table."""
