"""Tests of the Kueue controller, against an API server in process."""
