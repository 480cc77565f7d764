"""Tests of the front doors for clusters."""
