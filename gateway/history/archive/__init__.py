"""The parts of the embedded history.

A reading goes through three forms, each more compact than the one before:

``log``     a row a ``write``: readings as they came, uncompressed;
``sheets``  a row a block of 64 points: a stretch of the log, sorted by point and time;
``chunks``  a row some thousand readings of one point, deflated; its times are in ``axes``, a row
            for all points of a block that were read together; with it come ``rollups``, a minute
            and an hour a line, which stay when the readings go.

Order decides between two readings of one point and time: a chunk is older than any sheet, a sheet
older than the log, and within each the larger id is the newer one.

Map: ``columns`` (numbers ↔ bytes) and ``rows`` (readings in columns), ``rollups``: pure ·
``schema`` · ``sqlite`` (connections) · ``sealing`` (log → sheets → chunks) · ``trimming`` ·
``reading`` · ``newest`` · ``conversion`` (of files of version 1).
"""
