"""What knows nothing of this study: time, limits, memory."""
