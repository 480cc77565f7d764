"""The HTTP front door: reviews, sizing requests and probes, in a process that weighs by itself."""
