"""The benchmarks of the gateway: see `python -m tests.benchmarks --help`."""
