"""What is known of every customer, in numpy blocks, and the compiled fold that keeps it."""
