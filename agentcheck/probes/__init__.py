"""Probes touch the world once each and return plain facts. They judge nothing."""
