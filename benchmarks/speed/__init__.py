"""Speed of training, beside other ways to the same result: `python -m benchmarks.speed`."""
