"""What is installed, built in and shipped."""
