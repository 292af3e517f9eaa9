"""gendsl: a declarative experiment language for generative models on TensorFlow and Keras."""

__version__ = "0.1.0"
