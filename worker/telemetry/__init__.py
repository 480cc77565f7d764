"""Seeing inside: log lines, metrics, traces, probes, and what the server holds."""
