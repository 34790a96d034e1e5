"""Files that are copied into exported folders: they import nothing of siatl_keras."""
