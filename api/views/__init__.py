"""From rows and readings to the documents of the API; nothing here reads a clock or a database.

``words`` texts and times · ``paging`` cursors · ``readings`` judged values · ``equipment`` ·
``alarms`` · ``orders``.
"""
