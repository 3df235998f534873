"""What the Makefile runs: build the book, clean notebooks, renew the locks."""
