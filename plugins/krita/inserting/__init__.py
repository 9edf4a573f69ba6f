"""How results get into a document: when the artist's hand is free, where, as what, and what undo does with it."""
