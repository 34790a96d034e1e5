"""How fast exports answer: in process, and behind a server that many ask at once."""
