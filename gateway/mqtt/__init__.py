"""MQTT devices: from messages to readings.

Map: ``document`` (payload → JSON that is safe to look into), ``device_time`` (when readings were
taken), ``mapping`` (payload → frame), ``quarantine`` and ``overflow`` (what could not be read, what
the broker dropped): all pure; ``connection`` (one connection with the broker, the only file that
imports paho's client for devices), ``link`` (one session: it comes back after every loss).
"""
