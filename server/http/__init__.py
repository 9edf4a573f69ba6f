"""The door: who may connect, one connection's messages, uploads."""
