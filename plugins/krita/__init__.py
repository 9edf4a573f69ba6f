"""A docker in Krita 5.1 to 6: layers that form inside the open picture."""
