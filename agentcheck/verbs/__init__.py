"""The verbs of the command line, one file each.

A verb has a docstring whose first line is its help, `add_flags(parser)` and `call(arguments)`,
which returns the exit status. Top levels import little: each verb loads what it needs when called,
so that `explain` does not load a network library.
"""
