"""Feature extractors, one a file: `choosing.py` says which is meant."""
