"""Weight files and model folders: headers, recognition, library, catalogue, downloads."""
