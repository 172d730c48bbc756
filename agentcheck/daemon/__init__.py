"""The daemon: a round every interval as a child process, and what came of it for others to see.

It imports no network library: the idle process holds the standard library, and, where they are
wanted, systemd-python and waitress. One thing passes from a round to it, the public JSON report.
"""
