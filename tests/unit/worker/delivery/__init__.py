"""Tests of how messages are delivered, without a server."""
