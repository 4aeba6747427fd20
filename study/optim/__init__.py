"""Parts of a training step besides the gradient: losses, optimizers, schedules, random streams, tensors."""
