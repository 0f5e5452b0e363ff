"""Telling a device something: ``lifecycle`` (the life of a command, one table) and ``actions``
(what a person may do with one; the gateway does the telling)."""
