"""Specs to start from: what `gendsl new` writes."""
