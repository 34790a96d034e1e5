"""Public data sets: where they come from, and what is made of them."""
