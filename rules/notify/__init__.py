"""Messages to people: ``dispatch`` takes them from the outbox, a file a channel sends them."""
