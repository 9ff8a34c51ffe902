"""How fast is it, and what does that depend on? `python -m tests.benchmarks --help`."""
