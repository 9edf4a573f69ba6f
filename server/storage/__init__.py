"""What outlives the server: blobs and the database of jobs."""
