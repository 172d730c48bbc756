"""Tests of what packaging/ builds and ships."""
