"""The words that every part of the program shares: tasks, parameters with their ranges, boxes, the order of layers.

Standard library only, as the editors' interpreters run it too: a copy travels with each plug-in. Knows no picture, no wire and no
model.
"""
