"""A network's call made fast; with this folder deleted everything still works."""
