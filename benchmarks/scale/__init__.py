"""What 64 GPUs, or a billion texts, would take: computed and simulated, not run."""
