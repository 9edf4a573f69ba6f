"""The window around a docker: which document is its own, what is said in its view, and its actions."""
