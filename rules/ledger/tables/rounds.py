"""Due rounds, their items, what was entered, and what was found."""
