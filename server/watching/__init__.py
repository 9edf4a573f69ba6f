"""A folder whose layered files ask for layers by name: which files, which layers, and how the answers get into them."""
