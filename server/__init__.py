"""Jobs in front of engine workers, and the command line. Knows websockets and jobs; knows no tensors."""
