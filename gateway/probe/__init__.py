"""Reading a device before it goes live, and saying what in the profile is wrong.

Map: ``reading`` (block by block, unreadable addresses found) · ``plausible`` (what would make a
value plausible, pure) · ``report`` (what was found, as a document) · ``answers`` (asked over the
bus).
"""
