"""Keras layers and functions that neither Keras nor TF-GAN has, one a file."""
