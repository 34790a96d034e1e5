"""What we are measured against, written with the peers' own building blocks."""
