"""MQTT devices: from messages to readings.

Map: ``mapping`` (payload → frame, pure); ``link`` (one session with the broker, the only file
that imports paho for devices).
"""
