"""What is pulled: one declaration per data set."""
