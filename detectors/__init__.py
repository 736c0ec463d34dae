"""Features over the measures of a customer, and the detectors that turn features into signals."""
