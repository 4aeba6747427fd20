"""What a training is made of besides its gradient: losses, optimizers, schedules, random streams, tensors."""
