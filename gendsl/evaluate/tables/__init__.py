"""Tables: cells of samples and of data in, scores out."""
