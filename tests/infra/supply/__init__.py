"""What is installed, built and shipped."""
