"""A package, so that what its tests share ends with the last of them: pytest knows the scope
``package`` only where this file is, and elsewhere keeps it to the end of everything."""
