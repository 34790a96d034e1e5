"""How good classifiers are by default: ours and their peers on the same texts."""
