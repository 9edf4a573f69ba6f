"""Requests, tasks and errors: plain values, no torch."""
