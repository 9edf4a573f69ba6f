"""Pictures in the docker: the candidates of a run, the history, a large look at one, dragging and dropping, files."""
