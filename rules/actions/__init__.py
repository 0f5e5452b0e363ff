"""What a person may do. Each action is one transaction: the step, its event, the change, and its
line in the audit. Who may not gets ``ForbiddenError``, and nothing has changed: first who may
not at all, before it is told whether there is such a thing, then who may not in its area.

An action takes an optional key: the same key again does nothing and returns the same subject.

``alarms`` and ``orders``: a module for each thing that is acted on.
"""
