"""The protocol told to other programs: JSON Schema, AsyncAPI and TypeScript, all from the dataclasses of the messages."""
