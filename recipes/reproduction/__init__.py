"""What reproduces the paper: runs by the grid, and tables and figures of them."""
