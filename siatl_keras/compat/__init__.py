"""Everything of Keras's and KerasHub's that is private and that we must touch."""
