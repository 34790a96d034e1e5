"""Presets of unknown origin: what is checked before Keras sees them."""
