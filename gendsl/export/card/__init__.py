"""A run's folder in, its model card out: what a person said of the model beside what was measured of it."""
