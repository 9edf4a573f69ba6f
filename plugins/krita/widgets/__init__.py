"""What the docker is made of: fields, the form, the history, previews and messages. Knows Qt; knows no document and no server."""
