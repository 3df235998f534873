"""A neural network library to be read in one sitting."""
