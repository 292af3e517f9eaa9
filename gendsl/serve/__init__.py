"""A model that was exported, served over HTTP to try it: TensorFlow Serving's REST API and one page."""
