"""Devices that are not there, on real wires: the side tower of the house.

``model`` what a class of equipment is made of, and what reaches it from others · one module a
class, pure: ``pump drive lamp lift fire meter room bearing leak sump breaker circuit`` · ``cast``
who plays what: a new class is its module and one line there · ``plain`` what no model plays ·
``scenario`` what befalls them, read from ``scenarios/*.yaml`` · ``device_fault`` what their devices
do wrong · ``world`` all bodies of a site under one scenario, pure · ``store`` the world and its
event log on disk · ``registers`` and ``messages`` values as the profile lays them, pure · ``wire``
the Modbus servers and the MQTT publishers · ``service`` puts them together.
"""
