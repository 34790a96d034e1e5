"""Presets as strangers hand them around: what is checked before Keras sees them."""
