"""The persons at a server: who may come in, who is here, and how much each may take."""
