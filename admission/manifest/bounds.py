"""What is read of one object at most: a cluster waits for the answer."""

MAX_CHARACTERS = 65_536
"""Characters of a script, of a file of arguments, or of what variables make of a text: those that hold each other grow
without end.  Start-up scripts have some thousands."""

MAX_WORDS = 4096
"""Words of a command."""
