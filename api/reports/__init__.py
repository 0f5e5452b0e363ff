"""Records that are printed: templates (``*.typ``), and what they are filled with."""
