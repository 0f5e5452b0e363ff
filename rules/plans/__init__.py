"""Maintenance plans (保养计划): what comes due by calendar, after the last time, or by counters.

``plan`` what a file says, as records; ``plan_document``, ``plan_checks`` and ``plan_files`` read
it. ``subjects`` what a plan is about at a site, ``calendar`` what is due when, ``counting`` how far
a counter has grown, ``lifecycle`` the states of what is due: all pure.
``upkeep`` and ``service`` keep the rows; what a person may do is in ``rules.actions.plans``.
"""
