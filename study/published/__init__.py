"""Results that others have published, run again, each judged by an equivalence test."""
