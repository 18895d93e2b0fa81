"""What the commands run and print."""
