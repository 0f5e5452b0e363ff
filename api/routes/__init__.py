"""One file a subject: session, site, equipment, alarms, orders, stream, machine, page."""
