"""A spec's `sweep` in, its trials trained and ranked out: `gendsl sweep`."""
