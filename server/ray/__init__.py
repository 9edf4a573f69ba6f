"""Engine jobs on the other machines of a Ray cluster: a worker process here for each device there."""
