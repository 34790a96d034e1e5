"""Damaged inputs and killed runs in numbers, with a fixed seed; short forms are tests.

Run one with `python -m benchmarks.robustness.<name>`.
"""
