"""Tables: cells in, rows of float32 for networks out, by transforms that are exact and can be taken back."""
