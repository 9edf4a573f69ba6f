"""The form of a task: its fields, its values in GIMP's own files, the person's styles. Imported only when there is a screen."""
