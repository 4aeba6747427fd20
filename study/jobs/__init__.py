"""What one job of the workflow does: train a block of seeds, say why it failed, tell how far the study is."""
