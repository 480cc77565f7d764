"""The kinds of objects that serve models, each read as replicas of pods."""
