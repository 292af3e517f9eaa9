"""A run's folder in, one page that tells of it out: `report.html`."""
