"""Teams, rotations, overrides, leave, and the working days of the site's calendar."""
