"""Tests of the stream of requests that need no server."""
