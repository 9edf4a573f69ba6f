"""What an artist's form holds over documents, tasks and restarts of Krita, and the menu of what is chosen once."""
