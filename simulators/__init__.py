"""Devices that are not there, on real wires: the side tower of the house.

``pump`` and ``lamp`` pure models, ``step(state, inputs, dt) -> (state, events)`` ·
``scenario`` what befalls them, read from ``scenarios/*.yaml`` · ``world`` all models of a site
under one scenario, pure · ``store`` the world and its event log on disk · ``registers`` and
``messages`` values as the profile lays them, pure · ``wire`` the Modbus server and the MQTT
publishers · ``service`` puts them together.
"""
