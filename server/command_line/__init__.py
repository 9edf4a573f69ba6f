"""What the commands share: the parser, options, exit codes, progress, and files in and out."""
