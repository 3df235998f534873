"""What `make bench` runs: nnlib and its peers train the same networks side by side."""
