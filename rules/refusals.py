"""Why an action was not done, where it is not the actor who may not: nothing has changed."""

from __future__ import annotations


class RefusedError(Exception):
    """Base of these: one line for whoever asked."""


class NotFoundError(RefusedError):
    """There is no such thing at this site."""


class ConflictError(RefusedError):
    """It would contradict what is there."""


class NotValidError(RefusedError):
    """What was given cannot be; ``field`` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
