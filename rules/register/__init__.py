"""The equipment register (台账): what each piece of equipment is.

The site file says how equipment is reached, the register what it is, both under one id. It may
also hold what no gateway reaches, such as a box of extinguishers, with an area and a class of its
own.

``book``: what a site sets (advance, kinds of dates, how long records are kept); ``register_file``
reads it. ``record``: one piece of equipment and what is wrong with what is said of it. ``due``:
which dates come near or have passed. ``cells`` and ``sheets``: a workbook, and the records that it
means. These are pure. ``actions``: what a person may do. ``upkeep`` and ``service``: telling the
manager of dates. ``keeping``: how long the records of each piece of equipment are kept.
"""
