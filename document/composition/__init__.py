"""What a document looks like: layers over one another, blend modes, colour profiles, masks and effects worked in."""
