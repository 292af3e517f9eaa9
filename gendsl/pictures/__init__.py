"""A run in, what can be looked at of it out: samples by their kind, walks, reconstructions, neighbours, weights."""
