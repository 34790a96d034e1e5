"""Wrong inputs over the public API: each is refused in words that name the argument.

Tables of them; `python -m benchmarks.robustness.wrong_inputs` tries all.
"""
