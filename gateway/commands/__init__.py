"""Commands to devices: ``orders`` (what is wanted, and whether it is allowed) and ``telling`` (the
wire, and what the device says afterwards)."""
