"""The window: what it works on, its pages, and the small questions. Imported only when there is a screen."""
