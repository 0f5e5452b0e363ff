"""Who could take an order: ``candidates`` ranks them. Pure."""
