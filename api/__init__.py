"""The top floor: the command line, the processes, the web application.

``cli`` the command ``dutyroom`` · ``settings`` what it was told · ``configuration`` the files of
the site · ``data_directory`` what is kept where · ``up`` everything on this machine, by
``supervise`` its small parent and ``lifeline`` the children's end of the pipe · ``embedded`` all
services wired in one process, ``distributed`` one a process, ``broker`` for a site that has none ·
``service`` and ``app`` the web application and what it is made of.
"""

import sys

# Before anything that an old Python could not read: a line for the user, not a traceback.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("dutyroom: this Python is too old; use Python 3.11 or newer")
