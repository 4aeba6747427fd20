"""A benchmark of gradient clipping and regularization: config -> variants -> runs -> tables -> comparisons -> figures -> report."""
